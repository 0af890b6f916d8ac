"""A consumer on a queue in memory, an order that is paid, and time for what must happen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryQueue
from workers.runtime.consumer import Consumer, ConsumerLimits, Handler

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIMITS = ConsumerLimits(
    window=8, receivers=2, wait=timedelta(seconds=0.2), grace=timedelta(seconds=2)
)


def paid(order: str = "o-1") -> str:
    event = OrderPaid(shop_id=ShopId("lanchonete"), order_id=OrderId(order))
    return seal(event, now=NOW).to_json()


def consumer(queue: InMemoryQueue, handler: Handler, limits: ConsumerLimits = LIMITS) -> Consumer:
    return Consumer(queue, {OrderPaid: handler}, context="orders", limits=limits)


@asynccontextmanager
async def running(subject: Consumer) -> AsyncIterator[None]:
    task = asyncio.create_task(subject.run())
    try:
        yield
    finally:
        subject.stop()
        await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within 4 s")


async def fine(_: Envelope) -> None:
    return None
