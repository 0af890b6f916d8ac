"""Find the charge that a provider's fact is about, and apply it; sweeps and webhooks share this.

A payment behind one of our orders is told by its order, so the order is read again; a payment that
names our charge and is not behind its order is a second one. Money for nobody is a case.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from comanda.envelope import Envelope
from comanda.ids import ChargeId, ShopId
from comanda.mercadopago.values import Flavour
from workers.payments.cases import Case, CaseKind, Settlement
from workers.payments.facts import apply_fact
from workers.payments.model import Charge, Outcome, ProviderFact, ProviderStatus, Verdict
from workers.payments.ports import Desk, PaymentsUnit
from workers.payments.strays import apply_stray, doubt_second_payment

log = logging.getLogger(__name__)
_LOUD = frozenset({Verdict.MISMATCH, Verdict.UNRECOGNISED, Verdict.REFUSED})
_MONEY = frozenset(
    {
        ProviderStatus.PAID,
        ProviderStatus.PARTIALLY_REFUNDED,
        ProviderStatus.DISPUTED,
        ProviderStatus.CHARGED_BACK,
    }
)
Finish = Callable[[PaymentsUnit, "Found"], Awaitable[None]]


class Stranger(StrEnum):
    """What became of a fact about no charge of ours."""

    FOREIGN = "foreign"
    PAID_AND_UNKNOWN = "paid_and_unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What became of a fact, and about which charge it was; `before` is the charge before it."""

    verdict: Verdict | Stranger
    before: Charge | None = None
    outcome: Outcome | None = None


async def apply_truth(
    fact: ProviderFact,
    *,
    shop_id: ShopId,
    desk: Desk,
    source: str,
    finish: Finish,
    cause: Envelope | None = None,
) -> Found:
    """Apply a fact, and `finish` in the same unit of work; raise what the provider raises."""
    charge_id = ChargeId(fact.reference)
    known = (await desk.payments.charges_of(shop_id, [charge_id])).get(charge_id)
    if known is None:
        # An order of ours under another's reference is a mismatch, not a stranger.
        known = await desk.payments.find(shop_id, fact.provider_id)
    own = await _own_order(fact, charge=known, desk=desk) if known else None
    async with desk.payments.begin(cause) as unit:
        locked = await unit.lock(shop_id, known.id) if known else None
        if locked is None:
            found = Found(verdict=await _keep_stranger(fact, shop_id=shop_id, unit=unit))
        else:
            found = await _apply(locked, fact=fact, own=own, unit=unit, source=source)
        await finish(unit, found)
    _tell(fact, found=found, source=source)
    return found


async def _own_order(fact: ProviderFact, *, charge: Charge, desk: Desk) -> ProviderFact | None:
    """Read the order of a charge when a payment behind or beside it is told."""
    if fact.flavour is charge.flavour or charge.flavour is not Flavour.ORDERS:
        return None
    order_id = charge.provider_id or fact.parent_id
    if order_id is None:
        return None
    return await desk.provider.fetch(charge.shop_id, order_id, flavour=Flavour.ORDERS)


async def _apply(
    locked: Charge,
    *,
    fact: ProviderFact,
    own: ProviderFact | None,
    unit: PaymentsUnit,
    source: str,
) -> Found:
    if fact.flavour is locked.flavour:
        outcome = apply_fact(locked, fact=fact, now=unit.now)
        await unit.save(outcome, source=source)
        return Found(verdict=outcome.verdict, before=locked, outcome=outcome)
    if own is None:
        # Our own creation is still under way, or the order is out of sight; it is asked for soon.
        return Found(verdict=Verdict.UNCHANGED, before=locked)
    outcome = apply_fact(locked, fact=own, now=unit.now)
    await unit.save(outcome, source=source)
    is_behind = fact.parent_id == own.provider_id or fact.provider_id in own.numbers
    if not is_behind:
        after = await unit.lock(locked.shop_id, locked.id)
        assert after is not None  # It was locked above.
        # Without the numbers of an order's payments nobody can tell a second one from the first.
        judge = apply_stray if own.numbers else doubt_second_payment
        outcome = judge(after, fact=fact, now=unit.now)
        await unit.save(outcome, source=source)
    return Found(verdict=outcome.verdict, before=locked, outcome=outcome)


async def _keep_stranger(fact: ProviderFact, *, shop_id: ShopId, unit: PaymentsUnit) -> Stranger:
    """Money that is none of ours is a case; once it went back, it is a case no more."""
    if fact.status is ProviderStatus.REFUNDED:
        over = Settlement(
            kind=CaseKind.PAID_AND_UNKNOWN, subject=fact.provider_id, reason="it went back"
        )
        await unit.settle_case(shop_id, over)
    if fact.status not in _MONEY:
        return Stranger.FOREIGN
    case = Case(
        shop_id=shop_id,
        kind=CaseKind.PAID_AND_UNKNOWN,
        subject=fact.provider_id,
        order_id=None,
        detail=f"paid {fact.paid} {fact.currency} for {fact.reference[:80]!r}, which is not ours",
        opened_at=unit.now,
    )
    await unit.open_case(case)
    return Stranger.PAID_AND_UNKNOWN


def _tell(fact: ProviderFact, *, found: Found, source: str) -> None:
    is_loud = found.verdict in _LOUD or found.verdict is Stranger.PAID_AND_UNKNOWN
    extra = {
        "provider_id": fact.provider_id,
        "verdict": found.verdict,
        "source": source,
        "request_id": fact.request_id,
    }
    if found.before is not None:
        extra |= {"charge_id": found.before.id, "order_id": found.before.order_id}
    if found.outcome is not None:
        extra["status"] = found.outcome.charge.status
    log.log(logging.WARNING if is_loud else logging.INFO, "fact applied", extra=extra)
