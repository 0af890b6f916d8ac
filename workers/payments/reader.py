"""What the API and the gauges show of payments on PostgreSQL, read without locks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from comanda.ids import ChargeId, OrderId, ShopId, earliest_id
from comanda.money import Money
from workers.payments import reading_sql, sql
from workers.payments.attempts import Attempt
from workers.payments.cases import Case
from workers.payments.ledger import EntryKind
from workers.payments.model import Charge, ChargeStatus
from workers.payments.ports import Notification
from workers.payments.reports import (
    AuditRow,
    CaseMark,
    Exposure,
    Movements,
    Reconciliation,
    Repair,
    SourcedEntry,
    Totals,
    Window,
)
from workers.payments.rows import (
    attempt_of,
    audit_row_of,
    case_of,
    charge_of,
    entry_of,
    notification_of,
    rows,
)
from workers.runtime.postgres_pool import Pool

# A check that nobody has made for so long says that nobody is making any.
OVERDUE = timedelta(minutes=5)
_DAY = timedelta(days=1)


class PostgresPaymentsReader:
    """Read what is committed."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def charges(self, shop_id: ShopId, order_id: OrderId) -> Sequence[Charge]:
        """List the charges of an order."""
        found = await rows(self._pool, sql.OF_ORDER, (shop_id, order_id))
        return [charge_of(row) for row in found]

    async def totals(self, shop_id: ShopId) -> Totals:
        """Add up, in one statement and so in one snapshot."""
        (row,) = await rows(self._pool, reading_sql.TOTALS, {"shop_id": shop_id})
        by_status = {ChargeStatus(status): count for status, count in row["by_status"].items()}
        return Totals(
            charges=sum(by_status.values()),
            by_status=by_status,
            paid=Money.from_decimal(row["paid"]),
            open_cases=row["open_cases"],
            refunded=Money.from_decimal(row["refunded"]),
            disputed=Money.from_decimal(row["disputed"]),
            pending=Money.from_decimal(row["pending"]),
        )

    async def open_cases(self, shop_id: ShopId, *, limit: int) -> Sequence[Case]:
        """List open cases, oldest first."""
        found = await rows(self._pool, reading_sql.OPEN_CASES, (shop_id, limit))
        return [case_of(row) for row in found]

    async def attempts_of(self, shop_id: ShopId, charge_id: ChargeId) -> Sequence[Attempt]:
        """List the refunds and cancellations of a charge, oldest first."""
        found = await rows(self._pool, sql.SHOP_ATTEMPTS_OF, (shop_id, charge_id))
        return [attempt_of(row) for row in found]

    async def ledger(self, shop_id: ShopId, charge_id: ChargeId) -> Sequence[SourcedEntry]:
        """List the lines of a charge's ledger, oldest first."""
        found = await rows(self._pool, reading_sql.LEDGER, (shop_id, charge_id))
        return [entry_of(row) for row in found]

    async def reconciliation(self, shop_id: ShopId, *, since: datetime) -> Reconciliation:
        """Compare our books with the provider's, as far as it was asked."""
        values = {"shop_id": shop_id, "since": since}
        (counts,) = await rows(self._pool, reading_sql.RECONCILIATION, values)
        (refunding,) = await rows(self._pool, reading_sql.REFUNDING, (shop_id,))
        (cases,) = await rows(self._pool, reading_sql.COUNT_CASES, (shop_id,))
        repairs = await rows(self._pool, reading_sql.REPAIRS, (shop_id, since))
        swept = await rows(self._pool, reading_sql.SWEPT, (shop_id,))
        return Reconciliation(
            since=since,
            matched=counts["matched"],
            waiting=counts["waiting"],
            refunding=refunding["refunding"],
            repaired=tuple(
                Repair(
                    charge_id=ChargeId(row["charge_id"]),
                    before=ChargeStatus(row["before"]),
                    after=ChargeStatus(row["after"]),
                    source=row["source"],
                    at=row["at"],
                )
                for row in repairs
            ),
            open_cases=cases["open"],
            swept_until={row["name"]: row["swept_until"] for row in swept},
        )

    async def audit(self, shop_id: ShopId, *, after: str, limit: int) -> Sequence[AuditRow]:
        """List charges behind an id, in the order of ids."""
        found = await rows(self._pool, reading_sql.AUDIT, (shop_id, after, limit))
        return [audit_row_of(row) for row in found]

    async def charges_of_orders(
        self, shop_id: ShopId, *, window: Window, after: str, limit: int
    ) -> Sequence[AuditRow]:
        """List the charges of orders begun in a window, behind an order's id, in their order."""
        first, last = (earliest_id(at) for at in window)
        values = {"shop_id": shop_id, "first": first, "last": last, "after": after, "limit": limit}
        found = await rows(self._pool, reading_sql.CHARGES_OF_ORDERS, values)
        return [audit_row_of(row) for row in found]

    async def movements(self, shop_id: ShopId, *, window: Window) -> Movements:
        """Add up what was booked in a window."""
        since, until = window
        values = {"shop_id": shop_id, "since": since, "until": until}
        (row,) = await rows(self._pool, reading_sql.MOVEMENTS, values)
        return Movements(
            sums={EntryKind(kind): Money.parse(total) for kind, total in row["sums"].items()},
            cases_opened=row["cases_opened"],
            open_cases=row["open_cases"],
        )

    async def case_marks(self, shop_id: ShopId, *, after: int, limit: int) -> Sequence[CaseMark]:
        """List all cases behind an id, closed ones too."""
        found = await rows(self._pool, reading_sql.CASE_MARKS, (shop_id, after, limit))
        return [CaseMark(**row) for row in found]

    async def notifications(self, shop_id: ShopId, resource_id: str) -> Sequence[Notification]:
        """List what the provider said of a resource, oldest first."""
        found = await rows(self._pool, reading_sql.NOTIFICATIONS, (shop_id, resource_id))
        return [notification_of(row) for row in found]

    async def exposure(self, shop_id: ShopId, *, now: datetime) -> Exposure:
        """Measure what the gauges show."""
        cases = await rows(self._pool, reading_sql.CASES_BY_KIND, (shop_id,))
        values = {"shop_id": shop_id, "overdue": now - OVERDUE, "yesterday": now - _DAY}
        (row,) = await rows(self._pool, reading_sql.EXPOSURE, values)
        swept = await rows(self._pool, reading_sql.SWEPT, (shop_id,))
        return Exposure(
            shop_id=shop_id,
            open_cases={case["kind"]: case["n"] for case in cases},
            unaccounted=row["unaccounted"],
            open_attempts=row["open_attempts"],
            oldest_attempt=now - (row["oldest_attempt"] or now),
            oldest_unsettled=now - (row["oldest_unsettled"] or now),
            overdue_checks=row["overdue_checks"],
            repairs_of_a_day=row["repairs"],
            refusals_of_a_day=row["refusals"],
            swept_ago={sweep["name"]: now - sweep["swept_until"] for sweep in swept},
        )

    async def ping(self) -> None:
        """Reach the database, or raise."""
        await rows(self._pool, "SELECT 1", ())
