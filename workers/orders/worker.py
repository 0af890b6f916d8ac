"""The worker of orders: news of stock, payments and the menu arrive, the kitchen's news leaves.

Besides its queue it sends the mail that is owed to customers, and tells shops' webhooks.
"""

from contextlib import AbstractContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from comanda.clock import utc_now
from comanda.ids import ShopId
from comanda.settings import read
from workers.orders.handlers import HANDLERS
from workers.orders.herald import Herald
from workers.orders.hook_items import DynamoHooks
from workers.orders.letterbox import DynamoLetterbox
from workers.orders.outbound import outbound_session, refuse_loopback_in_production
from workers.orders.postman import Postman
from workers.orders.repository import DynamoOrderRepository
from workers.orders.ses import ses_mailer
from workers.orders.table import DynamoTable
from workers.runtime.aws import dynamodb_client, sns_publisher
from workers.runtime.dynamodb import DynamoUnits
from workers.runtime.errors import StoreUnavailable
from workers.runtime.service import Schedule, Worker, WorkerSettings, run_worker

_EVERY = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class OrdersWorkerSettings(WorkerSettings):
    """What the worker of orders reads from its environment besides what every worker does.

    Without `email_sender` nobody is mailed, and the customer's page alone tells. Production
    refuses `webhooks_to_loopback`, which lets webhooks of a laptop lead to the laptop.
    """

    orders_table: str
    shops: tuple[ShopId, ...] = ()
    email_sender: str = ""
    webhooks_to_loopback: bool = False


async def build(stack: AsyncExitStack) -> Worker:
    """Connect what the worker needs; the stack closes it."""
    settings = read(OrdersWorkerSettings)
    refuse_loopback_in_production(
        stage=settings.stage, webhooks_to_loopback=settings.webhooks_to_loopback
    )
    publisher = await stack.enter_async_context(sns_publisher(settings.topic_arn))
    client = await stack.enter_async_context(dynamodb_client())
    name = settings.orders_table
    units = DynamoUnits(client, table=name, publisher=publisher, clock=utc_now)
    table = DynamoTable(client, name=name)
    orders = DynamoOrderRepository(table, units=units)
    schedules = [
        await _telling(stack, settings, table=table, orders=orders),
        _adding_up(settings, orders=orders),
    ]
    if settings.email_sender:
        schedules.append(await _mailing(stack, settings, table=table))
    return Worker(
        context="orders",
        settings=settings,
        handlers={event: partial(handle, orders=orders) for event, handle in HANDLERS.items()},
        outbox=units,
        probe=orders.ping,
        schedules=tuple(schedules),
    )


def _store_may_be_away() -> AbstractContextManager[None]:
    # The consumer tells of an outage and waits for its end; the next turn comes by itself.
    return suppress(StoreUnavailable)


def _adding_up(settings: OrdersWorkerSettings, *, orders: DynamoOrderRepository) -> Schedule:
    async def add_up() -> None:
        # The feed forgets after some weeks, so somebody has to add it up before. A busy shop's hour
        # would be more at once than a partition gives in a second.
        with _store_may_be_away():
            for shop_id in settings.shops:
                await orders.totals(shop_id, now=utc_now())

    return Schedule(name="totals", every=timedelta(minutes=5), run=add_up)


async def _telling(
    stack: AsyncExitStack,
    settings: OrdersWorkerSettings,
    *,
    table: DynamoTable,
    orders: DynamoOrderRepository,
) -> Schedule:
    may_be_loopback = settings.webhooks_to_loopback
    session = await stack.enter_async_context(outbound_session(may_be_loopback=may_be_loopback))
    herald = Herald(
        shops=settings.shops,
        hooks=DynamoHooks(table),
        reader=orders,
        session=session,
        clock=utc_now,
        may_be_loopback=may_be_loopback,
    )

    async def tell() -> None:
        with _store_may_be_away():
            while await herald.tell_all():
                pass  # A webhook that takes what it is told is told the rest at once.

    return Schedule(name="webhooks", every=_EVERY, run=tell)


async def _mailing(
    stack: AsyncExitStack, settings: OrdersWorkerSettings, *, table: DynamoTable
) -> Schedule:
    mailer = await stack.enter_async_context(ses_mailer(settings.email_sender))
    postman = Postman(letterbox=DynamoLetterbox(table), mailer=mailer, clock=utc_now)

    async def send() -> None:
        with _store_may_be_away():
            while await postman.send_owed():
                pass

    return Schedule(name="mail", every=_EVERY, run=send)


if __name__ == "__main__":
    run_worker(build)
