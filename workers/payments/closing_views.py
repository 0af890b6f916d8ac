"""The JSON in which a day's money is closed; amounts are reais as text."""

from typing import Self

from pydantic import BaseModel

from comanda.money import ZERO
from workers.payments.ledger import EntryKind, Line
from workers.payments.reports import AuditRow, Movements


class ClosedChargeView(BaseModel):
    """What the ledger has of an order, second payments included; `fee` is null while unknown."""

    id: str
    order_id: str
    status: str
    amount: str
    charged: str
    refunded: str
    disputed: str
    regained: str
    fee: str | None
    open_cases: int
    open_attempts: int

    @classmethod
    def of(cls, row: AuditRow) -> Self:
        """Add the lines of a charge up."""
        lines = row.charge.lines
        is_fee_known = any(line.kind is EntryKind.FEE for line in lines)
        return cls(
            id=row.charge.id,
            order_id=row.charge.order_id,
            status=row.charge.status.value,
            amount=str(row.charge.amount),
            charged=_sum(lines, EntryKind.CHARGED),
            refunded=_sum(lines, EntryKind.REFUNDED),
            disputed=_sum(lines, EntryKind.DISPUTED),
            regained=_sum(lines, EntryKind.REGAINED),
            fee=_sum(lines, EntryKind.FEE) if is_fee_known else None,
            open_cases=row.open_cases,
            open_attempts=row.open_attempts,
        )


class ClosedChargesView(BaseModel):
    """A page of charges in the order of their orders; `next` is where the next page begins."""

    charges: list[ClosedChargeView]
    next: str | None


class MovementsView(BaseModel):
    """What the ledger booked in a window, of whatever day the orders were."""

    charged: str
    fee: str
    refunded: str
    disputed: str
    regained: str
    cases_opened: int
    open_cases: int

    @classmethod
    def of(cls, moved: Movements) -> Self:
        """Show the sums."""
        sums = {kind.value: str(moved.sums.get(kind, ZERO)) for kind in EntryKind}
        return cls(**sums, cases_opened=moved.cases_opened, open_cases=moved.open_cases)


def _sum(lines: tuple[Line, ...], kind: EntryKind) -> str:
    return str(sum((line.amount for line in lines if line.kind is kind), ZERO))
