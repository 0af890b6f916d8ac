"""The worker of orders: news of stock, payments and the menu arrive, the kitchen's news leaves."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from comanda.settings import read
from workers.orders.handlers import HANDLERS
from workers.orders.repository import DynamoOrderRepository
from workers.orders.table import DynamoTable
from workers.runtime.aws import dynamodb_client, sns_publisher
from workers.runtime.dynamodb import DynamoUnits
from workers.runtime.service import Worker, WorkerSettings, run_worker


@dataclass(frozen=True, kw_only=True, slots=True)
class OrdersWorkerSettings(WorkerSettings):
    """What the worker of orders reads from its environment besides what every worker does."""

    orders_table: str


async def build(stack: AsyncExitStack) -> Worker:
    """Connect what the worker needs; the stack closes it."""
    settings = read(OrdersWorkerSettings)
    publisher = await stack.enter_async_context(sns_publisher(settings.topic_arn))
    client = await stack.enter_async_context(dynamodb_client())
    name = settings.orders_table
    units = DynamoUnits(client, table=name, publisher=publisher, clock=lambda: datetime.now(UTC))
    orders = DynamoOrderRepository(DynamoTable(client, name=name), units=units)
    return Worker(
        context="orders",
        settings=settings,
        handlers={event: partial(handle, orders=orders) for event, handle in HANDLERS.items()},
        outbox=units,
        probe=orders.ping,
    )


if __name__ == "__main__":
    run_worker(build)
