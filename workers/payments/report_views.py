"""The JSON of reports and audits, and the bodies that operators send."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from workers.payments.reports import AuditRow, Reconciliation

# Lines are fine; other control characters are not, and PostgreSQL cannot keep a NUL at all.
_PLAIN = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
Reason = Annotated[
    str,
    Field(min_length=3, max_length=500, pattern=rf"^{_PLAIN}*[^\s\x00-\x1f\x7f-\x9f]{_PLAIN}*$"),
]


class RefundBody(BaseModel):
    """What an operator wants back for a customer; without an amount, all that is left."""

    model_config = ConfigDict(strict=True, extra="forbid")

    amount: Annotated[str, Field(max_length=16)] | None = None
    reason: Reason


class ResolutionBody(BaseModel):
    """Why a case is settled."""

    model_config = ConfigDict(strict=True, extra="forbid")

    reason: Reason


class RepairView(BaseModel):
    """What asking found that no notification had told."""

    charge_id: str
    before: str
    after: str
    source: str
    at: datetime


class ReconciliationView(BaseModel):
    """How our books and the provider's compare."""

    since: datetime
    matched: int
    waiting: int
    refunding: int
    repaired: int
    open: int
    repairs: list[RepairView]
    swept_until: dict[str, datetime]

    @classmethod
    def of(cls, report: Reconciliation) -> Self:
        """Show a report."""
        return cls(
            since=report.since,
            matched=report.matched,
            waiting=report.waiting,
            refunding=report.refunding,
            repaired=len({repair.charge_id for repair in report.repaired}),
            open=report.open_cases,
            repairs=[
                RepairView(
                    charge_id=repair.charge_id,
                    before=repair.before.value,
                    after=repair.after.value,
                    source=repair.source,
                    at=repair.at,
                )
                for repair in report.repaired
            ],
            swept_until=dict(report.swept_until),
        )


class StrayView(BaseModel):
    """A second payment that came for a charge."""

    provider_id: str
    charged: str
    refunded: str


class AuditRowView(BaseModel):
    """A charge with all that the money invariants are about."""

    id: str
    order_id: str
    status: str
    amount: str
    charged: str
    refunded: str
    disputed: str
    provider_id: str | None
    is_order_cancelled: bool
    open_cases: int
    open_attempts: int
    strays: list[StrayView]

    @classmethod
    def of(cls, row: AuditRow) -> Self:
        """Show a row."""
        charge = row.charge
        others = sorted({line.resource_id for line in charge.lines if line.resource_id})
        return cls(
            id=charge.id,
            order_id=charge.order_id,
            status=charge.status.value,
            amount=str(charge.amount),
            charged=str(charge.balance.charged),
            refunded=str(charge.balance.refunded),
            disputed=str(charge.balance.disputed),
            provider_id=charge.provider_id,
            is_order_cancelled=charge.order_cancelled_at is not None,
            open_cases=row.open_cases,
            open_attempts=row.open_attempts,
            strays=[
                StrayView(
                    provider_id=other,
                    charged=str(charge.balance_of(other).charged),
                    refunded=str(charge.balance_of(other).refunded),
                )
                for other in others
            ],
        )


class CaseMarkView(BaseModel):
    """That there is or was a case about a subject; `is_resolved` says that a person closed it."""

    id: int
    kind: str
    subject: str
    order_id: str | None
    is_open: bool
    is_resolved: bool


class CaseMarksView(BaseModel):
    """A page of cases; `next` is where the next page begins."""

    cases: list[CaseMarkView]
    next: int | None


class AuditView(BaseModel):
    """A page of charges; `next` is where the next page begins."""

    charges: list[AuditRowView]
    next: str | None
