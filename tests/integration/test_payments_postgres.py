"""What only a real PostgreSQL can show: races, constraints, migrations."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from prometheus_client import REGISTRY

from comanda.envelope import Envelope, seal
from comanda.ids import OrderId
from comanda.money import Money
from local.postgres import running_postgres
from tests.payments_builders import (
    ORDER,
    PRICE,
    SHOP,
    Counter,
    cancelled,
    postgres_counter,
    reserved,
)
from workers.payments.gauges import measure
from workers.payments.migrate import migrate, unwind
from workers.payments.model import ChargeStatus, ProviderStatus
from workers.payments.reader import PostgresPaymentsReader
from workers.payments.reconciliation import reconcile
from workers.payments.sweeping import sweep_shops
from workers.runtime.errors import RetryLater, StoreUnavailable
from workers.runtime.postgres_pool import postgres_pool


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("payments-pg")) as dsn:
        migrate(dsn)
        yield dsn


@pytest.fixture
async def counter(dsn: str) -> AsyncIterator[Counter]:
    async with postgres_counter(dsn) as counter:
        yield counter


async def test_ten_concurrent_reservations_of_one_order_are_one_charge(counter: Counter) -> None:
    await asyncio.gather(*(counter.deliver(reserved()) for _ in range(10)))

    assert len(counter.provider.orders) == 1
    assert (await counter.reader.totals(SHOP)).charges == 1
    assert (await counter.sent()).count("ChargeCreated") == 1


async def test_ten_concurrent_notifications_approve_once(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, ProviderStatus.PAID)

    told = [seal(counter.notified(charge), now=counter.clock()) for _ in range(10)]

    async def until_done(message: Envelope) -> None:
        while True:
            try:
                await counter.deliver(message.event, message=message)
            except RetryLater:
                counter.clock.now += timedelta(seconds=1)
            else:
                return

    await asyncio.gather(*(until_done(message) for message in told))

    assert (await counter.sent()).count("PaymentApproved") == 1
    assert await counter.totals() == ("58.80", 0)


async def test_a_cancellation_that_races_a_payment_is_late_money_or_a_case(
    counter: Counter,
) -> None:
    orders = [OrderId(f"order-{n}") for n in range(12)]
    for order in orders:
        await counter.deliver(reserved(order))

    await asyncio.gather(
        *(counter.paid(order) for order in orders),
        *(counter.deliver(cancelled(order)) for order in orders),
    )

    totals = await counter.reader.totals(SHOP)
    assert totals.paid == PRICE * len(orders)
    assert totals.open_cases == len(orders)


async def test_two_reconciliations_at_once_check_each_charge_once(counter: Counter) -> None:
    orders = [OrderId(f"order-{n}") for n in range(20)]
    for order in orders:
        await counter.deliver(reserved(order))
        counter.provider.change((await counter.charge(order)).id, ProviderStatus.PAID)
    counter.clock.now += timedelta(minutes=1)

    corrected = await asyncio.gather(*(reconcile(counter.desk) for _ in range(4)))

    assert sum(corrected) == counter.provider.calls.fetches == len(orders)
    assert (await counter.sent()).count("PaymentApproved") == len(orders)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET amount = 1",
        "DELETE FROM ledger",
        "INSERT INTO ledger (shop_id, charge_id, kind, amount, source, at)"
        " SELECT shop_id, charge_id, kind, amount, source, at FROM ledger",
        "UPDATE charges SET status = 'PAIDISH'",
        "UPDATE charges SET amount = -1",
        "UPDATE charges SET status = 'CREATING'",
        "UPDATE charges SET paid_at = NULL",
        "INSERT INTO charges SELECT 'other', shop_id, order_id, status, amount, receiver, request,"
        " 'ORD-OTHER', pix_code, expires_at, provider_updated_at, fetch_began_at, paid_at,"
        " order_cancelled_at, checks, next_check_at, created_at, changed_at FROM charges",
    ],
)
async def test_the_database_itself_refuses_what_would_spoil_the_books(
    counter: Counter, dsn: str, statement: str
) -> None:
    await counter.deliver(reserved())
    await counter.paid()

    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        with pytest.raises((psycopg.IntegrityError, psycopg.errors.RaiseException)):
            await connection.execute(statement)

    assert (await counter.charge(ORDER)).status is ChargeStatus.PAID
    assert await counter.totals() == ("58.80", 0)


async def test_the_gauges_show_what_must_be_looked_at(counter: Counter, dsn: str) -> None:
    async with postgres_pool(dsn) as pool:
        reader = PostgresPaymentsReader(pool)
        await counter.deliver(reserved())
        charge = await counter.charge()
        counter.provider.change(charge.id, ProviderStatus.REJECTED)
        await counter.deliver(counter.notified(charge))
        counter.provider.change(charge.id, ProviderStatus.PAID)
        await sweep_shops([SHOP], desk=counter.desk)
        await counter.deliver(reserved(OrderId("order-2")))
        counter.clock.now += timedelta(minutes=20)

        await measure([SHOP], reader=reader, clock=counter.clock)

        shown = {
            (sample.name, *sample.labels.values()): sample.value
            for metric in REGISTRY.collect()
            for sample in metric.samples
            if sample.labels.get("shop") == SHOP
        }
        assert shown["comanda_payments_open_cases", SHOP, "paid_late"] == 1
        assert shown["comanda_payments_unaccounted_charges", SHOP] == 0
        assert shown["comanda_payments_open_attempts", SHOP] == 1
        assert shown["comanda_payments_oldest_attempt_seconds", SHOP] >= 1200
        assert shown["comanda_payments_overdue_checks", SHOP] == 1
        assert shown["comanda_payments_repairs_of_a_day", SHOP] == 1
        assert shown["comanda_payments_refused_transitions_of_a_day", SHOP] == 0
        assert 1200 <= shown["comanda_payments_sweep_age_seconds", SHOP, "recent"] < 1300


async def test_a_case_that_closed_by_itself_accounts_for_nothing(
    counter: Counter, dsn: str
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.orders[charge.id] = replace(
        counter.provider.change(charge.id, ProviderStatus.PAID), amount=Money.parse("58.79")
    )
    await counter.deliver(counter.notified(charge))
    case = (await counter.reader.open_cases(SHOP, limit=9))[0]
    assert case.id is not None

    async def unaccounted(by: str) -> int:
        async with postgres_pool(dsn) as pool, pool.connection() as connection:
            await connection.execute(
                "UPDATE cases SET closed_at = %s, closed_by = %s, resolution = 'seen'",
                (counter.clock(), by),
            )
            await connection.commit()
            exposure = await PostgresPaymentsReader(pool).exposure(SHOP, now=counter.clock())
            return exposure.unaccounted

    assert (await unaccounted("comanda"), await unaccounted("maria")) == (1, 0)


async def test_a_store_that_is_down_is_an_outage_and_not_a_fault(dsn: str) -> None:
    async with postgres_counter(dsn) as counter:
        store = counter.payments
    # The pool is closed now, as a server that went away would be.
    for question in (store.find(SHOP, "ORD1"), store.charges_of(SHOP, ["c"])):
        with pytest.raises(StoreUnavailable):
            await question


def test_migrations_go_up_down_and_up_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_postgres(tmp_path_factory.mktemp("payments-up")) as dsn:
        migrate(dsn)
        migrate(dsn)
        unwind(dsn)
        migrate(dsn)

        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*) FROM charges").fetchone()

    assert row == (0,)
