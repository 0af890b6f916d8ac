"""Payments on PostgreSQL: a unit of work is a transaction, what it saves goes in one round trip."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from comanda.codec import encode
from comanda.envelope import Envelope
from comanda.events import Event
from comanda.ids import ChargeId, CustomerId, OrderId, ShopId
from workers.payments import sql
from workers.payments.attempts import Attempt
from workers.payments.cases import Case, Resolution, Settlement
from workers.payments.ledger import Entry
from workers.payments.model import OPEN, Charge, ChargeStatus, Outcome
from workers.payments.ports import Notification, Sweep
from workers.payments.rows import attempt_of, case_of, charge_of, lines_of, rows
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import Pool, reaching_postgres
from workers.runtime.postgres_unit import PostgresUnit

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

    async def lock(self, shop_id: ShopId, charge_id: ChargeId) -> Charge | None:
        """Read and lock a charge."""
        return await self._with_lines(await self._one(sql.LOCK, shop_id, charge_id))

    async def lock_of_order(self, shop_id: ShopId, order_id: OrderId) -> Charge | None:
        """Read and lock the charge of an order."""
        return await self._with_lines(await self._one(sql.LOCK_OF_ORDER, shop_id, order_id))

    async def save(
        self, outcome: Outcome, *, source: str, note: Notification | None = None
    ) -> None:
        """Save all of an outcome; what goes well is one statement."""
        charge = outcome.charge
        values = {**_charge_values(charge), "now": self.now}
        if outcome.entries:
            values |= _entry_values(outcome.entries, source=source)
        if note is not None:
            values |= _note_values(note)
        statement = sql.SAVES[bool(outcome.entries), note is not None]
        await self._connection.execute(statement, values)
        if outcome.cases or outcome.settled or outcome.attempts or outcome.refused:
            await self._save_exceptions(outcome, source=source)
        for event in outcome.events:
            self._unit.emit(event)

    async def _save_exceptions(self, outcome: Outcome, *, source: str) -> None:
        charge = outcome.charge
        async with self._connection.pipeline():
            for case in outcome.cases:
                await self.open_case(case)
            for settlement in outcome.settled:
                await self.settle_case(charge.shop_id, settlement)
            for attempt in outcome.attempts:
                await self.add_attempt(attempt)
            if (asked := outcome.refused) is not None:
                step = (charge.status.value, asked.value, source, self.now)
                values = (charge.shop_id, charge.id, *step)
                await self._connection.execute(sql.RECORD_REFUSAL, values)

    async def save_charge(self, charge: Charge) -> None:
        """Save a charge alone."""
        await self._connection.execute(sql.SAVE, {**_charge_values(charge), "now": self.now})

    async def open_case(self, case: Case) -> None:
        """Open a case unless the same one is open, or was closed with the same detail."""
        await self._connection.execute(sql.OPEN_CASE, asdict(case))

    async def settle_case(self, shop_id: ShopId, settlement: Settlement) -> None:
        """Close the open case of a kind and subject, if there is one."""
        values = (settlement.reason, shop_id, settlement.kind.value, settlement.subject)
        await self._connection.execute(sql.SETTLE_CASE, (self.now, *values))

    async def resolve_case(
        self, shop_id: ShopId, case_id: int, resolution: Resolution
    ) -> Case | None:
        """Close an open case and give it."""
        values = (self.now, resolution.by, resolution.reason, shop_id, case_id)
        row = await (await self._connection.execute(sql.RESOLVE_CASE, values)).fetchone()
        return None if row is None else case_of(row)

    async def attempts(self, charge_id: ChargeId) -> Sequence[Attempt]:
        """List the attempts of a charge, oldest first."""
        cursor = await self._connection.execute(sql.ATTEMPTS_OF, (charge_id,))
        return [attempt_of(row) for row in await cursor.fetchall()]

    async def add_attempt(self, attempt: Attempt) -> None:
        """Write down an attempt unless it is there."""
        await self._connection.execute(sql.ADD_ATTEMPT, _attempt_values(attempt))

    async def save_attempt(self, attempt: Attempt) -> None:
        """Save what became of an attempt."""
        await self._connection.execute(sql.SAVE_ATTEMPT, _attempt_values(attempt))

    async def note_repair(self, charge: Charge, *, before: ChargeStatus, source: str) -> None:
        """Write down that asking found what no notification had told."""
        step = (before.value, charge.status.value, source, self.now)
        await self._connection.execute(sql.NOTE_REPAIR, (charge.shop_id, charge.id, *step))

    def emit(self, event: Event) -> None:
        """Save an outgoing event that no outcome holds."""
        self._unit.emit(event)

    async def record(self, notification: Notification) -> None:
        """Write down a notification and its verdict."""
        values = {**_note_values(notification), "now": self.now}
        await self._connection.execute(sql.RECORD_NOTIFICATION, values)

    async def cancel_order(self, shop_id: ShopId, order_id: OrderId) -> None:
        """Remember that the order is cancelled."""
        await self._connection.execute(sql.CANCEL_ORDER, (shop_id, order_id, self.now))

    async def register_payer(
        self, shop_id: ShopId, customer_id: CustomerId, *, email: str, told_at: datetime
    ) -> None:
        """Store a payer's address, unless the customer was erased or told of another one since."""
        await self._connection.execute(sql.REGISTER_PAYER, (shop_id, customer_id, email, told_at))

    async def forget_payer(self, shop_id: ShopId, customer_id: CustomerId) -> None:
        """Forget a payer's address; the row stays, so that a late registration changes nothing."""
        await self._connection.execute(sql.FORGET_PAYER, (shop_id, customer_id, self.now))

    async def _with_lines(self, charge: Charge | None) -> Charge | None:
        if charge is None or charge.status in OPEN:
            return charge  # Nothing is booked before it is paid or over.
        cursor = await self._connection.execute(sql.LINES, (charge.id,))
        row = await cursor.fetchone()
        return replace(charge, lines=lines_of(row["lines"] if row else None))

    async def _one(self, statement: str, *values: str) -> Charge | None:
        row = await (await self._connection.execute(statement, values)).fetchone()
        return None if row is None else charge_of(row)


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

    async def open(self, charge: Charge) -> Charge | None:
        """Insert unless the order has a charge; a concurrent twin waits on the key."""
        values = _charge_values(charge)
        if await self._rows(sql.OPEN, values):
            return charge
        found = await self._rows(sql.ONE_OF_ORDER, (charge.shop_id, charge.order_id))
        return charge_of(found[0]) if found else None

    async def payer_email(self, shop_id: ShopId, customer_id: CustomerId) -> str | None:
        """Give the address of a customer, if we have it."""
        found = await self._rows(sql.PAYER_EMAIL, (shop_id, customer_id))
        return found[0]["email"] if found else None

    async def find(self, shop_id: ShopId, provider_id: str) -> Charge | None:
        """Read the charge of a provider's order; some deliveries write the id in lower case."""
        spellings = [provider_id, provider_id.upper()]
        found = await self._rows(sql.FIND, (shop_id, spellings))
        return charge_of(found[0]) if found else None

    async def claim_due(self, *, limit: int) -> Sequence[Charge]:
        """Take charges that are due, skipping those that somebody else has in hand."""
        now = self._clock()
        values = {"now": now, "until": now + LEASE, "limit": limit}
        return [charge_of(row) for row in await self._rows(sql.CLAIM_DUE, values)]

    async def claim_attempts(self, *, limit: int) -> Sequence[Attempt]:
        """Take attempts that are due, skipping those that somebody else has in hand."""
        now = self._clock()
        values = {"now": now, "until": now + LEASE, "limit": limit}
        return [attempt_of(row) for row in await self._rows(sql.CLAIM_ATTEMPTS, values)]

    async def charges_of(self, shop_id: ShopId, charge_ids: Sequence[str]) -> Mapping[str, Charge]:
        """Read many charges at once, by id."""
        found = await self._rows(sql.CHARGES_OF, (shop_id, list(charge_ids)))
        return {charge.id: charge for charge in map(charge_of, found)}

    async def claim_sweep(self, shop_id: ShopId, *, name: str, every: timedelta) -> Sweep | None:
        """Take a sweep that is due, unless somebody else has it in hand."""
        now = self._clock()
        values = {"shop_id": shop_id, "name": name, "now": now, "until": now + every}
        await self._rows(sql.NEW_SWEEP, values, has_rows=False)
        for row in await self._rows(sql.CLAIM_SWEEP, values):
            return Sweep(shop_id=shop_id, name=name, swept_until=row["swept_until"])
        return None

    async def finish_sweep(self, sweep: Sweep, *, until: datetime) -> None:
        """Remember how far a sweep came."""
        values = (until, sweep.shop_id, sweep.name)
        await self._rows(sql.FINISH_SWEEP, values, has_rows=False)

    async def forget_notifications(self, *, before: datetime, limit: int) -> int:
        """Delete the oldest notifications; return how many."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(sql.FORGET_NOTIFICATIONS, (before, limit))
            return cursor.rowcount

    async def _rows(self, statement: str, values: Any, **options: bool) -> list[dict[str, Any]]:
        async with reaching_postgres():
            return await rows(self._pool, statement, values, **options)


def _charge_values(charge: Charge) -> dict[str, Any]:
    values = {each.name: getattr(charge, each.name) for each in fields(charge)}
    # The ledger's lines are added one by one, never saved with the charge.
    del values["lines"]
    values["charge_id"] = values.pop("id")
    values["status"] = charge.status.value
    values["flavour"] = charge.flavour.value
    values["amount"] = charge.amount.to_decimal()
    return values


def _attempt_values(attempt: Attempt) -> dict[str, Any]:
    values = {each.name: getattr(attempt, each.name) for each in fields(attempt)}
    values["kind"], values["status"] = attempt.kind.value, attempt.status.value
    values["flavour"] = attempt.flavour.value if attempt.flavour else None
    values["amount"] = attempt.amount.to_decimal() if attempt.amount else None
    return values


def _entry_values(entries: Sequence[Entry], *, source: str) -> dict[str, Any]:
    return {
        "source": source,
        "kinds": [entry.kind.value for entry in entries],
        "amounts": [entry.amount.to_decimal() for entry in entries],
        "instants": [entry.at for entry in entries],
        "resources": [entry.resource_id for entry in entries],
    }


def _note_values(note: Notification) -> dict[str, Any]:
    return {
        "event_id": note.event_id,
        "noted_shop": note.shop_id,
        "topic": note.topic,
        "resource_id": note.resource_id,
        "doubt": note.doubt,
        "told": Jsonb(encode(note.request)),
        "verdict": note.verdict,
        "noted_charge": note.charge_id,
        "received_at": note.received_at,
    }
