"""The switch: what spans cost while they are off, and that no collector can delay a message."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryPublisher, InMemoryQueue
from comanda.messaging.ports import Message
from comanda.tracing import switch
from tests.bus_server import ROOT
from workers.runtime import tracing
from workers.runtime.consumer import Consumer, ConsumerLimits

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PAID = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId("o-1"))
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
LIMITS = ConsumerLimits(window=64, receivers=2, wait=timedelta(seconds=0.2))


@pytest.fixture(autouse=True)
def off() -> Iterator[None]:
    assert switch.spans is None
    yield
    switch.spans = None


@pytest.fixture
def black_hole() -> Iterator[str]:
    """Give the address of a collector that takes a connection, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


async def test_off_everything_is_what_it_would_be_without_spans() -> None:
    async def handle(_: Message) -> None:
        return None

    publisher = InMemoryPublisher()
    tracing.start("a-worker")

    assert tracing.traced_handling(handle, context="orders") is handle
    assert tracing.traced_publisher(publisher, topic_arn="topic") is publisher
    assert tracing.seal_traced(PAID, now=NOW, cause=None).traceparent is None
    assert tracing.here() is None
    tracing.stop()


def test_off_no_program_of_a_pod_imports_the_sdk() -> None:
    words = "import sys, workers.orders.api, workers.payments.worker; print(*sys.modules)"

    said = subprocess.run(
        [sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True
    )

    # The API of OpenTelemetry alone is there: a library of ours looks for it.
    heavy = ("opentelemetry.sdk", "opentelemetry.exporter", "google.protobuf", "requests")
    assert [name for name in said.stdout.split() if name.startswith(heavy)] == []


@pytest.mark.parametrize(
    ("environ", "is_wanted"),
    [
        ({}, False),
        ({ENDPOINT: " "}, False),
        ({ENDPOINT: "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({ENDPOINT: "http://collector:4318", "OTEL_SDK_DISABLED": "TRUE"}, False),
    ],
)
def test_a_collectors_name_is_the_setting(environ: dict[str, str], *, is_wanted: bool) -> None:
    assert tracing.is_wanted(environ) is is_wanted


async def test_a_collector_that_never_answers_delays_no_message_and_no_end(
    black_hole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, black_hole)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    queue = InMemoryQueue()
    tracing.start("a-worker")
    assert switch.spans is not None
    for _ in range(200):
        queue.send(seal(PAID, now=NOW).to_json())

    async def send(cause: Envelope) -> None:
        tracing.seal_traced(PAID, now=NOW, cause=cause)

    consumer = Consumer(queue, {OrderPaid: send}, context="orders", limits=LIMITS)
    task = asyncio.create_task(consumer.run())
    async with asyncio.timeout(10):
        while len(queue.deleted) < 200:
            await asyncio.sleep(0.01)
        consumer.stop()
        await task
    began = time.monotonic()
    tracing.stop()

    # A second, and what a busy machine adds to it; the exporter alone would wait for ten.
    assert time.monotonic() - began < 4
    assert queue.dead == []
    assert switch.spans is None
