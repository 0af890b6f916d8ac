"""The JSON that the API of payments shows; no payer and no request bytes are in it."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from workers.payments.attempts import Attempt
from workers.payments.cases import Case
from workers.payments.model import Charge
from workers.payments.ports import Notification
from workers.payments.reports import SourcedEntry, Totals


class ChargeView(BaseModel):
    """One charge; amounts are reais as text."""

    id: str
    order_id: str
    status: str
    amount: str
    charged: str
    refunded: str
    disputed: str
    provider_id: str | None
    expires_at: datetime | None
    paid_at: datetime | None
    order_cancelled_at: datetime | None
    created_at: datetime
    next_check_at: datetime | None

    @classmethod
    def of(cls, charge: Charge) -> Self:
        """Show a charge."""
        return cls(
            id=charge.id,
            order_id=charge.order_id,
            status=charge.status.value,
            amount=str(charge.amount),
            charged=str(charge.balance.charged),
            refunded=str(charge.balance.refunded),
            disputed=str(charge.balance.disputed),
            provider_id=charge.provider_id,
            expires_at=charge.expires_at,
            paid_at=charge.paid_at,
            order_cancelled_at=charge.order_cancelled_at,
            created_at=charge.created_at,
            next_check_at=charge.next_check_at,
        )


class ChargesView(BaseModel):
    """The charges of an order."""

    charges: list[ChargeView]


class TotalsView(BaseModel):
    """What a shop's payments add up to."""

    charges: int
    by_status: dict[str, int]
    paid_total: str
    refunded_total: str
    disputed_total: str
    pending_total: str
    open_cases: int

    @classmethod
    def of(cls, totals: Totals) -> Self:
        """Show totals."""
        return cls(
            charges=totals.charges,
            by_status={status.value: count for status, count in totals.by_status.items()},
            paid_total=str(totals.paid),
            refunded_total=str(totals.refunded),
            disputed_total=str(totals.disputed),
            pending_total=str(totals.pending),
            open_cases=totals.open_cases,
        )


class CaseView(BaseModel):
    """Something that a human must settle."""

    id: int
    kind: str
    subject: str
    order_id: str | None
    detail: str
    opened_at: datetime

    @classmethod
    def of(cls, case: Case) -> Self:
        """Show a case."""
        return cls(
            id=case.id or 0,
            kind=case.kind.value,
            subject=case.subject,
            order_id=case.order_id,
            detail=case.detail,
            opened_at=case.opened_at,
        )


class CasesView(BaseModel):
    """Open cases, oldest first."""

    cases: list[CaseView]


class AttemptView(BaseModel):
    """A refund or a cancellation, and where it stands at the provider."""

    id: str
    kind: str
    status: str
    amount: str | None
    reason: str
    requested_by: str
    provider_refund_id: str | None
    detail: str
    created_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """Show an attempt."""
        return cls(
            id=attempt.id,
            kind=attempt.kind.value,
            status=attempt.status.value,
            amount=str(attempt.amount) if attempt.amount else None,
            reason=attempt.reason,
            requested_by=attempt.requested_by,
            provider_refund_id=attempt.provider_refund_id,
            detail=attempt.detail,
            created_at=attempt.created_at,
            settled_at=attempt.settled_at,
        )


class AttemptsView(BaseModel):
    """The refunds and cancellations of a charge, oldest first."""

    refunds: list[AttemptView]


class EntryView(BaseModel):
    """A line of the ledger, with who told it; `resource_id` names a second payment."""

    kind: str
    amount: str
    at: datetime
    source: str
    resource_id: str

    @classmethod
    def of(cls, line: SourcedEntry) -> Self:
        """Show a line."""
        return cls(
            kind=line.entry.kind.value,
            amount=str(line.entry.amount),
            at=line.entry.at,
            source=line.source,
            resource_id=line.entry.resource_id,
        )


class LedgerView(BaseModel):
    """The ledger of a charge, oldest line first."""

    entries: list[EntryView]


class NotificationView(BaseModel):
    """What came in for a resource, and our verdict on it."""

    event_id: str
    topic: str
    verdict: str
    doubt: str | None
    charge_id: str | None
    received_at: datetime

    @classmethod
    def of(cls, notification: Notification) -> Self:
        """Show a notification."""
        return cls(
            event_id=notification.event_id,
            topic=notification.topic,
            verdict=notification.verdict,
            doubt=notification.doubt,
            charge_id=notification.charge_id,
            received_at=notification.received_at,
        )


class NotificationsView(BaseModel):
    """The notifications of one resource, oldest first."""

    notifications: list[NotificationView]
