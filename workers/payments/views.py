"""The JSON that the API of payments shows; no payer and no request bytes are in it."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from workers.payments.model import Case, Charge
from workers.payments.ports import Notification, Totals


class ChargeView(BaseModel):
    """One charge; amounts are reais as text."""

    id: str
    order_id: str
    status: str
    amount: str
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
    open_cases: int

    @classmethod
    def of(cls, totals: Totals) -> Self:
        """Show totals."""
        return cls(
            charges=totals.charges,
            by_status={status.value: count for status, count in totals.by_status.items()},
            paid_total=str(totals.paid),
            open_cases=totals.open_cases,
        )


class CaseView(BaseModel):
    """Something that a human must settle."""

    kind: str
    subject: str
    order_id: str | None
    detail: str
    opened_at: datetime

    @classmethod
    def of(cls, case: Case) -> Self:
        """Show a case."""
        return cls(
            kind=case.kind.value,
            subject=case.subject,
            order_id=case.order_id,
            detail=case.detail,
            opened_at=case.opened_at,
        )


class CasesView(BaseModel):
    """Open cases, oldest first."""

    cases: list[CaseView]


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
