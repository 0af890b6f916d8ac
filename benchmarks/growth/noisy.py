"""One shop's backlog, and how long another's messages wait: `python -m benchmarks.growth.noisy`.

Our bus in a process of its own, our consumer, inbox and outbox on a real PostgreSQL. 999 quiet
shops send one message at a time, in turn, and a wait is from just before publishing to the commit.
The same is measured without a backlog, with one, and with one whose messages name no group, which
is how it was before queues were fair. Leaves with 1 when a backlog makes quiet shops wait longer
than is allowed.
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

from benchmarks.findings import Finding, tell
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

NOISY = ShopId("noisy-shop")
# A worker that is busy with a noisy shop is slower for everybody. Nobody at a counter may notice.
MOST_P50, MOST_OF_UNGROUPED, MOST_SECONDS = 10.0, 0.5, 1.0
# As long as a message of the quiet shop is behind the backlog, there is nothing to compare it with.
_PATIENCE = 120.0
_POOL = 6
_ALONE, _BESIDE, _UNGROUPED = "alone", "beside a backlog", "no groups"
# More than a window: the consumer has nothing but the noisy shop's messages in hand.
_BUSY_AFTER = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What to measure: the noisy shop's backlog, and how many messages the quiet ones send."""

    name: str
    backlog: int
    quiet: int = 200
    quiet_shops: int = 999
    is_grouped: bool = True
    pause: float = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Waits:
    """Waits of the quiet shops in seconds; how much backlog was left when its last one ended."""

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
        envelope = _sealed(ShopId(f"quiet-{number % case.quiet_shops}"), number)
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


def findings(waits: Mapping[str, Waits]) -> list[Finding]:
    """Put a wait beside a backlog beside a wait alone, beside one without groups, and a second."""
    alone, beside, ungrouped = (waits[name] for name in (_ALONE, _BESIDE, _UNGROUPED))
    return [
        Finding(
            what=f"a quiet shop's wait, {name}",
            this=("beside a backlog", this * 1000),
            other=(other, of * 1000),
            unit="ms",
            at_most=bound,
        )
        for name, this, other, of, bound in (
            ("p50", beside.p50, "alone", alone.p50, MOST_P50),
            ("p50", beside.p50, "no groups", ungrouped.p50, MOST_OF_UNGROUPED),
            ("p99", beside.p99, "alone", alone.p99, None),
            ("p99", beside.p99, "a second", MOST_SECONDS, 1.0),
        )
    ]


def main() -> int:
    """Measure the three cases and print them side by side."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth.noisy", description=__doc__)
    parser.add_argument("--backlog", type=int, default=20_000)
    parser.add_argument("--quiet", type=int, default=100)
    parser.add_argument("--quiet-shops", type=int, default=999)
    chosen = parser.parse_args()
    few = {"quiet": chosen.quiet, "quiet_shops": chosen.quiet_shops}
    cases = (
        Case(name=_ALONE, backlog=0, **few),
        Case(name=_BESIDE, backlog=chosen.backlog, **few),
        # Each of these waits for the whole backlog, so two are enough to know how long that is.
        Case(name=_UNGROUPED, backlog=chosen.backlog, quiet=2, is_grouped=False),
    )
    found: dict[str, Waits] = {}
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="comanda-growth-") as folder:
            waits = found[case.name] = measure(case, folder=Path(folder))
        print(
            f"{waits.name:>18}: p50 {waits.p50 * 1000:8.1f} ms, p99 {waits.p99 * 1000:8.1f} ms;"
            f" backlog left {waits.left}",
            flush=True,
        )
    if not found[_BESIDE].left:
        print("the backlog ended before the quiet shops did: take a longer one")
        return 1
    lines = findings(found)
    for line in lines:
        print(f"{line.what:<36}{line.ratio:>8.2f}{'' if line.is_kept else '  BROKEN'}")
    return 0 if tell(lines) else 1


if __name__ == "__main__":
    sys.exit(main())
