"""The worker of payments: held stock and webhooks arrive, charges move, the outcome leaves."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from comanda.clock import utc_now
from comanda.ids import ChargeId, ShopId, new_id
from comanda.mercadopago.client import CALLS_A_SECOND, SEARCHES_A_SECOND, Rates
from comanda.mercadopago.values import Flavour
from comanda.settings import read
from workers.payments import gauges
from workers.payments.credentials import ShopCredentials, secrets_manager_reader
from workers.payments.errands import run_errands
from workers.payments.handlers import HANDLERS
from workers.payments.mercadopago import MercadoPagoProvider
from workers.payments.ports import Desk
from workers.payments.reader import PostgresPaymentsReader
from workers.payments.reconciliation import reconcile
from workers.payments.records import forget_old_notifications
from workers.payments.repository import PostgresPayments
from workers.payments.sweeping import LONG_PLANS, sweep_shops
from workers.runtime.aws import aws_client, sns_publisher
from workers.runtime.consumer import ConsumerLimits
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool
from workers.runtime.service import Schedule, Worker, WorkerSettings, run_worker

RECONCILE_EVERY = timedelta(seconds=1)
ERRANDS_EVERY = timedelta(seconds=1)
# Each sweep says for itself when it is due; this is only how often that is looked at.
SWEEPS_EVERY = timedelta(seconds=15)
LONG_SWEEPS_EVERY = timedelta(minutes=10)
GAUGES_EVERY = timedelta(seconds=15)
FORGET_EVERY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentsWorkerSettings(WorkerSettings):
    """What the worker of payments reads from its environment besides what every worker does.

    `guest_payer` is the address in a guest's charge; `{shop}` stands for the shop's id. The rates
    are calls a second for each shop's account, of this process.
    """

    shops: tuple[ShopId, ...]
    database_url: str
    mercadopago_url: str
    mercadopago_api: Flavour = Flavour.ORDERS
    mercadopago_rate: float = CALLS_A_SECOND
    mercadopago_search_rate: float = SEARCHES_A_SECOND
    guest_payer: str = "pix@{shop}.example"


async def build(stack: AsyncExitStack) -> Worker:
    """Connect what the worker needs; the stack closes it."""
    settings = read(PaymentsWorkerSettings)
    publisher = await stack.enter_async_context(sns_publisher(settings.topic_arn))
    secrets = await stack.enter_async_context(aws_client("secretsmanager"))
    pool = await stack.enter_async_context(postgres_pool(settings.database_url))
    units = PostgresUnits(pool, publisher=publisher, clock=utc_now)
    rates = Rates(calls=settings.mercadopago_rate, searches=settings.mercadopago_search_rate)
    provider = stack.enter_context(
        MercadoPagoProvider(
            settings.mercadopago_url,
            credentials=ShopCredentials(secrets_manager_reader(secrets), stage=settings.stage),
            guest_payer=settings.guest_payer,
            clock=utc_now,
            flavour=settings.mercadopago_api,
            rates=rates,
        )
    )
    desk = Desk(
        payments=PostgresPayments(units, pool=pool, clock=utc_now),
        provider=provider,
        clock=utc_now,
        new_charge_id=lambda now: ChargeId(new_id(now)),
    )
    reader = PostgresPaymentsReader(pool)
    return Worker(
        context="payments",
        settings=settings,
        handlers={event: partial(handle, desk=desk) for event, handle in HANDLERS.items()},
        outbox=units,
        probe=reader.ping,
        # Most messages wait for the provider; what we cannot ask it soon, another pod may.
        limits=ConsumerLimits(window=96),
        schedules=_schedules(desk, reader=reader, shops=settings.shops),
    )


def _schedules(
    desk: Desk, *, reader: PostgresPaymentsReader, shops: tuple[ShopId, ...]
) -> tuple[Schedule, ...]:
    async def check_open_charges() -> None:
        await reconcile(desk)

    async def carry_out_attempts() -> None:
        await run_errands(desk)

    async def sweep_the_provider() -> None:
        await sweep_shops(shops, desk=desk)

    async def sweep_the_months() -> None:
        await sweep_shops(shops, desk=desk, plans=LONG_PLANS)

    async def forget() -> None:
        await forget_old_notifications(desk)

    async def measure() -> None:
        await gauges.measure(shops, reader=reader, clock=desk.clock)

    return (
        Schedule(name="reconciliation", every=RECONCILE_EVERY, run=check_open_charges),
        Schedule(name="errands", every=ERRANDS_EVERY, run=carry_out_attempts),
        Schedule(name="sweeps", every=SWEEPS_EVERY, run=sweep_the_provider),
        # Apart from the others, for it may take minutes.
        Schedule(name="long sweeps", every=LONG_SWEEPS_EVERY, run=sweep_the_months),
        Schedule(name="gauges", every=GAUGES_EVERY, run=measure),
        Schedule(name="retention", every=FORGET_EVERY, run=forget),
    )


if __name__ == "__main__":
    run_worker(build)
