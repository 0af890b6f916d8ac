"""One shop's backlog, and how long another's messages wait: `python -m benchmarks.growth.noisy`.

Our bus in a process of its own, our consumer, inbox and outbox on a real PostgreSQL. The quiet shop
sends one message at a time, and its wait is from just before publishing to the commit. The same
is measured without a backlog, with one, and with one whose messages name no group, which is how it
was before queues were fair. Published numbers are ratios within one run.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import psycopg
import uvloop

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryPublisher
from comanda.messaging.sns import SNSPublisher
from comanda.messaging.sqs import SQSQueue
from local.postgres import running_postgres
from local.supervisor.ports import reserve_ports
from workers.runtime.aws import aws_client
from workers.runtime.consumer import Consumer, ConsumerLimits
from workers.runtime.postgres import INBOX_OUTBOX_DDL, PostgresUnits
from workers.runtime.postgres_pool import postgres_pool

NOISY, QUIET = ShopId("noisy-shop"), ShopId("quiet-shop")
# As long as a message of the quiet shop is behind the backlog, there is nothing to compare it with.
_PATIENCE = 120.0
_POOL = 6
# More than a window: the consumer has nothing but the noisy shop's messages in hand.
_BUSY_AFTER = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What to measure: the noisy shop's backlog, and how many messages the quiet one sends."""

    name: str
    backlog: int
    quiet: int = 200
    is_grouped: bool = True
    pause: float = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Waits:
    """Waits of the quiet shop in seconds; how much backlog was left when its last one ended."""

    name: str
    p50: float
    p99: float
    left: int


class _Ungrouped:
    """A client that forgets the group, as publishers did before queues were fair."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def publish_batch(self, **params: Any) -> Any:
        entries = params["PublishBatchRequestEntries"]
        kept = [{k: v for k, v in e.items() if k != "MessageGroupId"} for e in entries]
        return await self._client.publish_batch(**{**params, "PublishBatchRequestEntries": kept})


def measure(case: Case, *, folder: Path) -> Waits:
    """Start a bus and a database, measure one case, and stop them."""
    with running_postgres(folder / "postgres", cache=folder / "cache") as dsn, _bus() as url:
        with psycopg.connect(dsn) as connection:
            connection.execute(INBOX_OUTBOX_DDL)
        with patch.dict(os.environ, _environment(url)):
            places = _places()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_measure(case, dsn=dsn, places=places))


async def _measure(case: Case, *, dsn: str, places: Mapping[str, str]) -> Waits:
    ended: dict[str, asyncio.Future[float]] = {}
    async with _stage(dsn, places) as (queue, client, units):
        publisher = SNSPublisher(
            client if case.is_grouped else _Ungrouped(client), topic_arn=places["topic"]
        )
        await _fill(publisher, case.backlog)
        done, is_busy = 0, asyncio.Event()
        if not case.backlog:
            is_busy.set()

        async def handle(envelope: Envelope) -> None:
            nonlocal done
            async with units.begin(envelope):
                pass
            if (waiting := ended.get(envelope.id)) is not None:
                waiting.set_result(time.perf_counter())
            else:
                done += 1
                if done == min(case.backlog, _BUSY_AFTER):
                    is_busy.set()

        limits = ConsumerLimits(wait=timedelta(seconds=1))
        consumer = Consumer(queue, {OrderPaid: handle}, context="growth", limits=limits)
        running = asyncio.create_task(consumer.run())
        # The consumer has its hands full before the quiet shop comes.
        await is_busy.wait()
        waits = await asyncio.wait_for(_ask(publisher, case, ended), _PATIENCE)
        left = case.backlog - done
        consumer.stop()
        await running
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    return Waits(name=case.name, p50=cuts[49], p99=cuts[98], left=left)


async def _ask(
    publisher: SNSPublisher, case: Case, ended: dict[str, asyncio.Future[float]]
) -> list[float]:
    waits = []
    for number in range(case.quiet):
        envelope = _sealed(QUIET, number)
        ended[envelope.id] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await publisher.publish([envelope])
        waits.append(await ended[envelope.id] - began)
        await asyncio.sleep(case.pause)
    return waits


@asynccontextmanager
async def _stage(
    dsn: str, places: Mapping[str, str]
) -> AsyncIterator[tuple[SQSQueue, Any, PostgresUnits]]:
    async with (
        aws_client("sqs") as sqs,
        aws_client("sns") as sns,
        postgres_pool(dsn, size=_POOL) as pool,
    ):
        units = PostgresUnits(pool, publisher=InMemoryPublisher(), clock=lambda: datetime.now(UTC))
        yield SQSQueue(sqs, url=places["queue"], dlq_url=places["dlq"]), sns, units


async def _fill(publisher: SNSPublisher, count: int) -> None:
    for first in range(0, count, 500):
        await publisher.publish([_sealed(NOISY, n) for n in range(first, min(first + 500, count))])


def _sealed(shop: ShopId, number: int) -> Envelope:
    event = OrderPaid(shop_id=shop, order_id=OrderId(str(number)))
    return seal(event, now=datetime.now(UTC))


def _environment(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def _places() -> dict[str, str]:
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    queue, dlq = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("q", "q-dlq"))
    topic = sns.create_topic(Name="t")["TopicArn"]
    asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=asked["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    return {"queue": queue, "dlq": dlq, "topic": topic}


@contextmanager
def _bus() -> Iterator[str]:
    with reserve_ports(1) as (port,):
        bus = subprocess.Popen([sys.executable, "-m", "local.bus", "--port", str(port)])
        try:
            _wait_until_up(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            bus.terminate()
            bus.wait(timeout=10)


def _wait_until_up(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def main() -> None:
    """Measure the three cases and print them side by side."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth.noisy", description=__doc__)
    parser.add_argument("--backlog", type=int, default=20_000)
    parser.add_argument("--quiet", type=int, default=100)
    chosen = parser.parse_args()
    cases = (
        Case(name="alone", backlog=0, quiet=chosen.quiet),
        Case(name="beside a backlog", backlog=chosen.backlog, quiet=chosen.quiet),
        # Each of these waits for the whole backlog, so one is enough to know how long that is.
        Case(name="no groups", backlog=chosen.backlog, quiet=2, is_grouped=False),
    )
    alone: Waits | None = None
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="comanda-growth-") as folder:
            waits = measure(case, folder=Path(folder))
        alone = alone or waits
        print(
            f"{waits.name:>18}: p50 {waits.p50 * 1000:8.1f} ms, p99 {waits.p99 * 1000:8.1f} ms,"
            f" {waits.p99 / alone.p99:7.1f} times alone's p99; backlog left {waits.left}",
            flush=True,
        )


if __name__ == "__main__":
    main()
