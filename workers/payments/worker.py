"""The worker of payments: held stock and webhooks arrive, charges move, the outcome leaves."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from comanda.ids import ChargeId, new_id
from comanda.settings import read
from workers.payments.credentials import ShopCredentials, secrets_manager_reader
from workers.payments.handlers import HANDLERS
from workers.payments.mercadopago import MercadoPagoProvider
from workers.payments.ports import Desk
from workers.payments.reconciliation import reconcile
from workers.payments.repository import PostgresPayments, PostgresPaymentsReader
from workers.runtime.aws import aws_client, sns_publisher
from workers.runtime.consumer import ConsumerLimits
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool
from workers.runtime.service import Schedule, Worker, WorkerSettings, run_worker

RECONCILE_EVERY = timedelta(seconds=3)


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentsWorkerSettings(WorkerSettings):
    """What the worker of payments reads from its environment besides what every worker does.

    `guest_payer` is the address in a guest's charge; `{shop}` stands for the shop's id.
    """

    database_url: str
    mercadopago_url: str
    guest_payer: str = "pix@{shop}.example"


async def build(stack: AsyncExitStack) -> Worker:
    """Connect what the worker needs; the stack closes it."""
    settings = read(PaymentsWorkerSettings)
    publisher = await stack.enter_async_context(sns_publisher(settings.topic_arn))
    secrets = await stack.enter_async_context(aws_client("secretsmanager"))
    pool = await stack.enter_async_context(postgres_pool(settings.database_url))
    units = PostgresUnits(pool, publisher=publisher, clock=_now)
    provider = stack.enter_context(
        MercadoPagoProvider(
            settings.mercadopago_url,
            credentials=ShopCredentials(secrets_manager_reader(secrets), stage=settings.stage),
            guest_payer=settings.guest_payer,
            clock=_now,
        )
    )
    desk = Desk(
        payments=PostgresPayments(units, pool=pool, clock=_now),
        provider=provider,
        clock=_now,
        new_charge_id=lambda now: ChargeId(new_id(now)),
    )

    async def check_open_charges() -> None:
        await reconcile(desk)

    return Worker(
        context="payments",
        settings=settings,
        handlers={event: partial(handle, desk=desk) for event, handle in HANDLERS.items()},
        outbox=units,
        probe=PostgresPaymentsReader(pool).ping,
        # Most messages wait for the provider; what we cannot ask it soon, another pod may.
        limits=ConsumerLimits(window=96),
        schedules=(Schedule(name="reconciliation", every=RECONCILE_EVERY, run=check_open_charges),),
    )


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    run_worker(build)
