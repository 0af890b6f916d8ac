"""Turn what the provider says about money into ledger lines: only what is not booked yet."""

from datetime import datetime

from comanda.money import ZERO, Money
from workers.payments.ledger import Balance, Entry, EntryKind
from workers.payments.model import Charge, ProviderFact, ProviderStatus

_P = ProviderStatus
_CAME = frozenset({_P.PAID, _P.PARTIALLY_REFUNDED, _P.REFUNDED, _P.DISPUTED, _P.CHARGED_BACK})
_DISPUTED = frozenset({_P.DISPUTED, _P.CHARGED_BACK})


def book(
    charge: Charge, *, fact: ProviderFact, now: datetime, resource_id: str = ""
) -> tuple[Entry, ...]:
    """Give the lines that are missing; `resource_id` names a payment that is not its own."""
    if fact.status not in _CAME:
        return ()
    before = charge.balance_of(resource_id)
    came = (fact.paid or ZERO) if resource_id else charge.amount
    sums = [
        *_arrival(before, fact=fact, came=came),
        (EntryKind.REFUNDED, _refunded_since(before, fact=fact, came=came)),
        *_dispute(before, fact=fact, came=came),
    ]
    return tuple(
        Entry(kind=kind, amount=amount, at=now, resource_id=resource_id)
        for kind, amount in sums
        if amount > ZERO
    )


def _arrival(before: Balance, *, fact: ProviderFact, came: Money) -> list[tuple[EntryKind, Money]]:
    if before.charged > ZERO:
        return []
    return [(EntryKind.CHARGED, came), (EntryKind.FEE, fact.fee or ZERO)]


def _refunded_since(before: Balance, *, fact: ProviderFact, came: Money) -> Money:
    told = fact.refunded or ZERO
    if fact.status is _P.REFUNDED and told == ZERO:
        told = came  # The status says all, and some answers leave the sum out.
    return told - min(before.refunded, told)


def _dispute(before: Balance, *, fact: ProviderFact, came: Money) -> list[tuple[EntryKind, Money]]:
    if fact.status in _DISPUTED and before.disputed == ZERO:
        return [(EntryKind.DISPUTED, came)]
    if fact.status in (_P.PAID, _P.PARTIALLY_REFUNDED):
        return [(EntryKind.REGAINED, before.disputed)]
    return []
