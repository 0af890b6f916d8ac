"""A real worker whose effects are rows that tell their process; started by tests, and killed."""

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from comanda.envelope import Envelope
from comanda.events import OrderPaid, OrderStarted
from comanda.settings import read
from workers.runtime.aws import sns_publisher
from workers.runtime.consumer import ConsumerLimits
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool
from workers.runtime.service import Worker, WorkerSettings, run_worker


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(WorkerSettings):
    """`test_pause` is how many seconds each message takes before it has its effect."""

    database_url: str
    test_pause: float = 0.0


async def build(stack: AsyncExitStack) -> Worker:
    settings = read(Settings)
    publisher = await stack.enter_async_context(sns_publisher(settings.topic_arn))
    pool = await stack.enter_async_context(postgres_pool(settings.database_url, size=4))
    units = PostgresUnits(pool, publisher=publisher, clock=lambda: datetime.now(UTC))

    async def start_order(envelope: Envelope) -> None:
        event = envelope.event
        assert isinstance(event, OrderPaid)
        await asyncio.sleep(settings.test_pause)
        async with units.begin(envelope) as unit:
            await unit.connection.execute(
                "INSERT INTO effects VALUES (%s, %s)", (event.subject, os.getpid())
            )
            unit.emit(OrderStarted(shop_id=event.shop_id, order_id=event.order_id))

    async def ping() -> None:
        async with pool.connection() as connection:
            await connection.execute("SELECT 1")

    return Worker(
        context="orders",
        settings=settings,
        handlers={OrderPaid: start_order},
        outbox=units,
        probe=ping,
        limits=ConsumerLimits(window=32, receivers=4, wait=timedelta(seconds=1)),
    )


if __name__ == "__main__":
    run_worker(build)
