"""Rows of the payments database, read into values."""

from collections.abc import Mapping
from typing import Any

from psycopg.pq import TransactionStatus

from comanda.codec import decode
from comanda.events import RawRequest
from comanda.ids import ChargeId, EventId, OrderId, ShopId
from comanda.mercadopago.values import Flavour
from comanda.money import Money
from workers.payments.attempts import Attempt, AttemptKind, AttemptStatus
from workers.payments.cases import Case, CaseKind
from workers.payments.ledger import Entry, EntryKind, Line
from workers.payments.model import Charge, ChargeStatus
from workers.payments.ports import Notification
from workers.payments.reports import AuditRow, SourcedEntry
from workers.runtime.postgres_pool import Pool

Row = Mapping[str, Any]


async def rows(
    pool: Pool, statement: str, values: Any, *, has_rows: bool = True
) -> list[dict[str, Any]]:
    """Run one statement, which is a transaction of its own without a round trip to begin it."""
    async with pool.connection() as connection:
        await connection.set_autocommit(True)
        try:
            cursor = await connection.execute(statement, values)
            return await cursor.fetchall() if has_rows else []
        finally:
            # A statement that was cut short leaves a connection that the pool throws away.
            if connection.info.transaction_status is TransactionStatus.IDLE:
                await connection.set_autocommit(False)


def charge_of(row: Row) -> Charge:
    """Read a charge with the lines of its ledger."""
    fields = dict(row)
    fields["id"] = ChargeId(fields.pop("charge_id"))
    fields["shop_id"] = ShopId(fields["shop_id"])
    fields["status"] = ChargeStatus(fields["status"])
    fields["flavour"] = Flavour(fields["flavour"])
    fields["amount"] = Money.from_decimal(fields["amount"])
    fields["lines"] = lines_of(fields.get("lines"))
    return Charge(**fields)


def lines_of(found: list[list[str]] | None) -> tuple[Line, ...]:
    """Read the lines of a ledger from their JSON; there may be none."""
    return tuple(
        Line(kind=EntryKind(kind), amount=Money.parse(amount), resource_id=resource)
        for kind, amount, resource in found or ()
    )


def audit_row_of(row: Row) -> AuditRow:
    """Read a charge with how much about it is open."""
    fields = dict(row)
    return AuditRow(
        open_cases=fields.pop("open_cases"),
        open_attempts=fields.pop("open_attempts"),
        charge=charge_of(fields),
    )


def attempt_of(row: Row) -> Attempt:
    """Read an attempt."""
    amount, flavour = row["amount"], row["flavour"]
    fields = {
        **row,
        "shop_id": ShopId(row["shop_id"]),
        "charge_id": ChargeId(row["charge_id"]),
        "order_id": OrderId(row["order_id"]),
        "kind": AttemptKind(row["kind"]),
        "status": AttemptStatus(row["status"]),
        "amount": Money.from_decimal(amount) if amount is not None else None,
        "flavour": Flavour(flavour) if flavour else None,
    }
    return Attempt(**fields)


def case_of(row: Row) -> Case:
    """Read a case."""
    return Case(**{**row, "shop_id": ShopId(row["shop_id"]), "kind": CaseKind(row["kind"])})


def entry_of(row: Row) -> SourcedEntry:
    """Read a line of the ledger with its source."""
    entry = Entry(
        kind=EntryKind(row["kind"]),
        amount=Money.from_decimal(row["amount"]),
        at=row["at"],
        resource_id=row["resource_id"],
    )
    return SourcedEntry(entry=entry, source=row["source"])


def notification_of(row: Row) -> Notification:
    """Read a notification."""
    fields = {**row, "shop_id": ShopId(row["shop_id"]), "event_id": EventId(row["event_id"])}
    return Notification(**{**fields, "request": decode(RawRequest, row["request"])})
