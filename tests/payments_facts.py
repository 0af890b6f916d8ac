"""A charge in any status, and what a fact makes of it a minute later."""

from datetime import timedelta

from tests.payments_builders import NOW, creating, lines, waiting
from workers.payments.facts import apply_fact
from workers.payments.model import (
    CLOSED,
    OPEN,
    Charge,
    ChargeStatus,
    Outcome,
    ProviderFact,
)

S = ChargeStatus


def apply(charge: Charge, said: ProviderFact) -> Outcome:
    return apply_fact(charge, fact=said, now=NOW + timedelta(minutes=1))


def in_status(status: ChargeStatus) -> Charge:
    if status in (S.CREATING, S.UNKNOWN):
        return creating(status=status)
    if status in OPEN | CLOSED | {S.REFUSED, S.REVIEW}:
        return waiting(status=status)
    more = {"refunded": "58.80"} if status is S.REFUNDED else {}
    more |= {"disputed": "58.80"} if status in (S.DISPUTED, S.CHARGED_BACK) else {}
    return waiting(status=status, paid_at=NOW, lines=lines(charged="58.80", **more))
