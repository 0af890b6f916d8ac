"""Attempts: refunds and cancellations that we owe the provider, each a row with its own key.

A row exists before any call. Its bytes are stored before the first call too, and every call after
that repeats them under the row's id as the key. "Refused" while the provider is really at work is a
known lie of Pix refunds, so an attempt ends only when the provider's own list says how.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from comanda.ids import ChargeId, OrderId, ShopId
from comanda.mercadopago.values import Flavour
from comanda.money import Money

_NAMESPACE = UUID("0b2f6a5e-9d2f-5f43-8f4e-2f6f9a1c7d10")
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
STUCK_AFTER = timedelta(hours=1)


class AttemptKind(StrEnum):
    """What is asked of the provider."""

    CANCEL = "cancel"
    REFUND = "refund"


class AttemptStatus(StrEnum):
    """Where an attempt stands; `SENT` means that its outcome is not known."""

    PLANNED = "PLANNED"
    SENT = "SENT"
    IN_PROCESS = "IN_PROCESS"
    DONE = "DONE"
    FAILED = "FAILED"


OPEN_ATTEMPTS = frozenset({AttemptStatus.PLANNED, AttemptStatus.SENT, AttemptStatus.IN_PROCESS})


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One thing asked of the provider; its id is the idempotency key.

    `is_whole` says that all was asked for that was left; `resource_id` is the provider's id of what
    is refunded if that is not the charge's own payment.
    """

    id: str
    shop_id: ShopId
    charge_id: ChargeId
    order_id: OrderId
    kind: AttemptKind
    amount: Money | None
    reason: str
    requested_by: str
    created_at: datetime
    resource_id: str = ""
    is_whole: bool = False
    flavour: Flavour | None = None
    status: AttemptStatus = AttemptStatus.PLANNED
    request: bytes | None = None
    sent_at: datetime | None = None
    provider_refund_id: str | None = None
    detail: str = ""
    tries: int = 0
    next_try_at: datetime | None = None
    settled_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether its end is not known yet."""
        return self.status in OPEN_ATTEMPTS

    def is_stuck(self, *, now: datetime) -> bool:
        """Tell whether it has been open for too long to say nothing."""
        return self.is_open and now - self.created_at >= STUCK_AFTER


def attempt_id(charge_id: ChargeId, *parts: str) -> str:
    """Make the id of an attempt: the same intention twice is the same attempt."""
    return str(uuid5(_NAMESPACE, "/".join((charge_id, *parts))))


def next_try(tries: int, *, now: datetime) -> datetime:
    """Say when an attempt is carried on with: soon at first, then hourly until it ends."""
    return now + min(FIRST_PAUSE * (1 << min(tries, 12)), LONGEST_PAUSE)
