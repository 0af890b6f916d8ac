"""Payments on PostgreSQL: a unit of work is a transaction, what it saves goes in one round trip."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from comanda.codec import decode, encode
from comanda.envelope import Envelope
from comanda.events import RawRequest
from comanda.ids import ChargeId, CustomerId, EventId, OrderId, ShopId
from comanda.money import Money
from workers.payments import sql
from workers.payments.model import Case, CaseKind, Charge, ChargeStatus, Outcome
from workers.payments.ports import Notification, Totals
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import Pool
from workers.runtime.postgres_unit import PostgresUnit

_Row = Mapping[str, Any]
LEASE = timedelta(seconds=30)


class PostgresPaymentsUnit:
    """One transaction of payments."""

    def __init__(self, unit: PostgresUnit) -> None:
        self._unit = unit
        self._connection = unit.connection

    @property
    def now(self) -> datetime:
        """Give the instant at which the unit began."""
        return self._unit.now

    async def open(self, charge: Charge) -> Charge | None:
        """Insert unless the order has a charge; a concurrent twin waits on the key."""
        cursor = await self._connection.execute(sql.OPEN, _charge_values(charge))
        if cursor.rowcount == 1:
            return charge
        return await self._one(sql.OF_ORDER, charge.shop_id, charge.order_id)

    async def lock(self, shop_id: ShopId, charge_id: ChargeId) -> Charge | None:
        """Read and lock a charge."""
        return await self._one(sql.LOCK, shop_id, charge_id)

    async def lock_of_order(self, shop_id: ShopId, order_id: OrderId) -> Charge | None:
        """Read and lock the charge of an order."""
        return await self._one(sql.LOCK_OF_ORDER, shop_id, order_id)

    async def save(self, outcome: Outcome, *, source: str) -> None:
        """Save all of an outcome; its statements share one round trip."""
        charge, execute = outcome.charge, self._connection.execute
        async with self._connection.pipeline():
            await execute(sql.SAVE, {**_charge_values(charge), "now": self.now})
            if (entry := outcome.entry) is not None:
                line = (entry.kind.value, entry.amount.to_decimal(), source, entry.at)
                await execute(sql.ADD_ENTRY, (charge.shop_id, charge.id, *line))
            if outcome.case is not None:
                await self.open_case(outcome.case)
            if (asked := outcome.refused) is not None:
                step = (charge.status.value, asked.value, source, self.now)
                await execute(sql.RECORD_REFUSAL, (charge.shop_id, charge.id, *step))
        for event in outcome.events:
            self._unit.emit(event)

    async def open_case(self, case: Case) -> None:
        """Open a case unless the same one is open."""
        values = tuple(asdict(case).values())
        await self._connection.execute(sql.OPEN_CASE, values)

    async def record(self, notification: Notification) -> None:
        """Write down a notification and its verdict."""
        values = (
            notification.event_id,
            notification.shop_id,
            notification.topic,
            notification.resource_id,
            notification.doubt,
            Jsonb(encode(notification.request)),
            notification.verdict,
            notification.charge_id,
            notification.received_at,
            self.now,
        )
        await self._connection.execute(sql.RECORD_NOTIFICATION, values)

    async def cancel_order(self, shop_id: ShopId, order_id: OrderId) -> None:
        """Remember that the order is cancelled."""
        await self._connection.execute(sql.CANCEL_ORDER, (shop_id, order_id, self.now))

    async def register_payer(self, shop_id: ShopId, customer_id: CustomerId, *, email: str) -> None:
        """Store a payer's address, unless the customer was erased."""
        await self._connection.execute(sql.REGISTER_PAYER, (shop_id, customer_id, email))

    async def forget_payer(self, shop_id: ShopId, customer_id: CustomerId) -> None:
        """Forget a payer's address; the row stays, so that a late registration changes nothing."""
        await self._connection.execute(sql.FORGET_PAYER, (shop_id, customer_id, self.now))

    async def _one(self, statement: str, *values: str) -> Charge | None:
        row = await (await self._connection.execute(statement, values)).fetchone()
        return None if row is None else _charge(row)


class PostgresPayments:
    """The store in which handlers work."""

    def __init__(self, units: PostgresUnits, *, pool: Pool, clock: Callable[[], datetime]) -> None:
        self._units = units
        self._pool = pool
        self._clock = clock

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[PostgresPaymentsUnit]:
        """Open a transaction; raise `AlreadyHandled` when the effect of `cause` is committed."""
        async with self._units.begin(cause) as unit:
            yield PostgresPaymentsUnit(unit)

    async def payer_email(self, shop_id: ShopId, customer_id: CustomerId) -> str | None:
        """Give the address of a customer, if we have it."""
        rows = await _rows(self._pool, sql.PAYER_EMAIL, (shop_id, customer_id))
        return rows[0]["email"] if rows else None

    async def find(self, shop_id: ShopId, provider_id: str) -> Charge | None:
        """Read the charge of a provider's order; some deliveries write the id in lower case."""
        spellings = [provider_id, provider_id.upper()]
        rows = await _rows(self._pool, sql.FIND, (shop_id, spellings))
        return _charge(rows[0]) if rows else None

    async def claim_due(self, *, limit: int) -> Sequence[Charge]:
        """Take charges that are due, skipping those that somebody else has in hand."""
        now = self._clock()
        values = {"now": now, "until": now + LEASE, "limit": limit}
        return [_charge(row) for row in await _rows(self._pool, sql.CLAIM_DUE, values)]


class PostgresPaymentsReader:
    """What the API shows, read without locks."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def charges(self, shop_id: ShopId, order_id: OrderId) -> Sequence[Charge]:
        """List the charges of an order."""
        return [_charge(row) for row in await _rows(self._pool, sql.OF_ORDER, (shop_id, order_id))]

    async def totals(self, shop_id: ShopId) -> Totals:
        """Add up, in one statement and so in one snapshot."""
        (row,) = await _rows(self._pool, sql.TOTALS, {"shop_id": shop_id})
        by_status = {ChargeStatus(status): count for status, count in row["by_status"].items()}
        return Totals(
            charges=sum(by_status.values()),
            by_status=by_status,
            paid=Money.from_decimal(row["paid"]),
            open_cases=row["open_cases"],
        )

    async def open_cases(self, shop_id: ShopId, *, limit: int) -> Sequence[Case]:
        """List open cases, oldest first."""
        rows = await _rows(self._pool, sql.OPEN_CASES, (shop_id, limit))
        return [_case(row) for row in rows]

    async def notifications(self, shop_id: ShopId, resource_id: str) -> Sequence[Notification]:
        """List what the provider said of a resource, oldest first."""
        rows = await _rows(self._pool, sql.NOTIFICATIONS, (shop_id, resource_id))
        return [_notification(row) for row in rows]

    async def ping(self) -> None:
        """Reach the database, or raise."""
        await _rows(self._pool, "SELECT 1", ())


async def _rows(pool: Pool, statement: str, values: Any) -> list[dict[str, Any]]:
    async with pool.connection() as connection:
        return await (await connection.execute(statement, values)).fetchall()


def _charge_values(charge: Charge) -> dict[str, Any]:
    values = asdict(charge)
    values["charge_id"] = values.pop("id")
    values["status"] = charge.status.value
    values["amount"] = charge.amount.to_decimal()
    return values


def _charge(row: _Row) -> Charge:
    fields = dict(row)
    fields["id"] = ChargeId(fields.pop("charge_id"))
    fields["shop_id"] = ShopId(fields["shop_id"])
    fields["status"] = ChargeStatus(fields["status"])
    fields["amount"] = Money.from_decimal(fields["amount"])
    return Charge(**fields)


def _case(row: _Row) -> Case:
    return Case(**{**row, "shop_id": ShopId(row["shop_id"]), "kind": CaseKind(row["kind"])})


def _notification(row: _Row) -> Notification:
    fields = {**row, "shop_id": ShopId(row["shop_id"]), "event_id": EventId(row["event_id"])}
    return Notification(**{**fields, "request": decode(RawRequest, row["request"])})
