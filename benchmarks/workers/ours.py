"""Our consumer as a pod runs it, with the handlers of the benchmark.

`BENCH_HANDLER` chooses: `trivial`, `io` (5 ms), `postgres` and `dynamodb` (inbox, effect and outbox
in one transaction, published to SNS).
"""

import asyncio
import gc
import json
import os
import signal
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from benchmarks.workers.stores import EFFECT, INBOX, OUTBOX
from comanda.envelope import Envelope, seal
from comanda.events import OrderStarted, PaymentApproved
from comanda.telemetry import configure_logging
from workers.runtime.aws import dynamodb_client, sns_publisher, sqs_queue
from workers.runtime.consumer import Consumer, ConsumerLimits, Handler
from workers.runtime.dynamodb import DynamoUnits, to_item
from workers.runtime.outbox import OutboxStore
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool
from workers.runtime.service import SWEEP_EVERY

IO_SECONDS = 0.005
TOPIC = "arn:aws:sns:sa-east-1:000000000000:bench-events"


async def main() -> None:
    """Consume until SIGTERM."""
    async with AsyncExitStack() as stack:
        handler, outbox = await build(os.environ["BENCH_HANDLER"], stack)
        url, dlq_url = os.environ["BENCH_QUEUE_URL"], os.environ["BENCH_DLQ_URL"]
        queue = await stack.enter_async_context(sqs_queue(url, dlq_url))
        limits = ConsumerLimits(**json.loads(os.environ.get("BENCH_LIMITS", "{}")))
        consumer = Consumer(queue, {PaymentApproved: handler}, context="orders", limits=limits)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, consumer.stop)
        turns = [asyncio.create_task(_sweep(outbox)), asyncio.create_task(_tell_vitals())]
        await consumer.run()
        for turn in turns:
            turn.cancel()
        if outbox is not None:
            await outbox.drain()


async def build(kind: str, stack: AsyncExitStack) -> tuple[Handler, OutboxStore | None]:
    """Give the handler of this kind, and its outbox if it has one."""
    if kind == "postgres":
        return await (_postgres_alone if os.environ.get("BENCH_ALONE") else _postgres)(stack)
    if kind == "dynamodb":
        return await _dynamodb(stack)
    return (_io if kind == "io" else _trivial), None


async def _trivial(envelope: Envelope) -> None:
    """Do nothing; the event is read by then."""


async def _io(envelope: Envelope) -> None:  # noqa: ARG001  # As long as a call to somebody near.
    await asyncio.sleep(IO_SECONDS)


async def _postgres(stack: AsyncExitStack) -> tuple[Handler, OutboxStore]:
    pool = await stack.enter_async_context(postgres_pool(os.environ["DATABASE_URL"]))
    publisher = await stack.enter_async_context(sns_publisher(TOPIC))
    units = PostgresUnits(pool, publisher=publisher, clock=_now)

    async def approve(envelope: Envelope) -> None:
        async with units.begin(envelope) as unit:
            await unit.connection.execute(EFFECT, (envelope.id, envelope.event.subject))
            unit.emit(_started(envelope))

    return approve, units


async def _postgres_alone(stack: AsyncExitStack) -> tuple[Handler, None]:
    """Do as the peers do, a transaction for each message and nothing published."""
    pool = await stack.enter_async_context(postgres_pool(os.environ["DATABASE_URL"]))

    async def approve(envelope: Envelope) -> None:
        async with pool.connection() as connection:
            if (await connection.execute(INBOX, (envelope.id,))).rowcount:
                await connection.execute(EFFECT, (envelope.id, envelope.event.subject))
                sealed = seal(_started(envelope), now=_now(), cause=envelope)
                await connection.execute(OUTBOX, (sealed.id, sealed.to_json()))

    return approve, None


async def _dynamodb(stack: AsyncExitStack) -> tuple[Handler, OutboxStore]:
    client = await stack.enter_async_context(dynamodb_client())
    publisher = await stack.enter_async_context(sns_publisher(TOPIC))
    units = DynamoUnits(client, table=os.environ["BENCH_TABLE"], publisher=publisher, clock=_now)

    async def approve(envelope: Envelope) -> None:
        async with units.begin(envelope) as unit:
            # A second effect of the same event would be counted, not refused.
            key = to_item({"pk": f"EFFECT#{envelope.id}", "sk": "EFFECT"})
            unit.write(
                {
                    "Update": {
                        "Key": key,
                        "UpdateExpression": "ADD effects :one",
                        "ExpressionAttributeValues": to_item({":one": 1}),
                    }
                }
            )
            unit.emit(_started(envelope))

    return approve, units


def _started(envelope: Envelope) -> OrderStarted:
    event = envelope.event
    assert isinstance(event, PaymentApproved)  # The one type that the consumer was given.
    return OrderStarted(shop_id=event.shop_id, order_id=event.order_id)


async def _sweep(outbox: OutboxStore | None) -> None:
    while outbox is not None:
        await asyncio.sleep(SWEEP_EVERY.total_seconds())
        await outbox.sweep()


async def _tell_vitals() -> None:
    while path := os.environ.get("BENCH_VITALS"):
        _write_vitals(Path(path))
        await asyncio.sleep(1)


def _write_vitals(path: Path) -> None:
    """Write what only this process can count, for whoever watches that nothing grows."""
    vitals = {"tasks": len(asyncio.all_tasks()), "objects": len(gc.get_objects())}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(vitals))
    fresh.replace(path)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    configure_logging("bench", level=30)
    uvloop.run(main())
