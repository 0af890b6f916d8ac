"""Go through the provider's own list by windows, so that nothing there is unknown here.

Each shop has a short sweep of what was made lately and a long one of the last days, over both APIs.
What agrees with our books costs a comparison; what does not is applied like any other fact.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from comanda.ids import ShopId
from comanda.mercadopago.values import Flavour
from workers.payments.model import CLOSED, OPEN, Charge, ChargeStatus, ProviderFact, ProviderStatus
from workers.payments.ports import Desk, PaymentsUnit, Sweep
from workers.payments.provider import ProviderRefused, ProviderUnavailable
from workers.payments.truth import Found, apply_truth

log = logging.getLogger(__name__)
# A pager that the server ignores would give the first page for ever.
MOST_PAGES = 2000
SOURCE = "sweep"


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepPlan:
    """How often a sweep runs and how far back it looks beyond the last one."""

    name: str
    every: timedelta
    reach: timedelta


PLANS = (
    SweepPlan(name="recent", every=timedelta(minutes=1), reach=timedelta(minutes=15)),
    SweepPlan(name="days", every=timedelta(hours=1), reach=timedelta(hours=50)),
)
_SAME = {
    ProviderStatus.EXPIRED: CLOSED,
    ProviderStatus.CANCELLED: CLOSED,
    ProviderStatus.REJECTED: CLOSED,
    ProviderStatus.PAID: frozenset({ChargeStatus.PAID, ChargeStatus.DISPUTED}),
    ProviderStatus.REFUNDED: frozenset({ChargeStatus.REFUNDED}),
    ProviderStatus.PARTIALLY_REFUNDED: frozenset({ChargeStatus.PARTIALLY_REFUNDED}),
    ProviderStatus.WAITING: OPEN,
    ProviderStatus.PROCESSING: OPEN,
}


async def sweep_shops(
    shops: Sequence[ShopId], *, desk: Desk, plans: Sequence[SweepPlan] = PLANS
) -> int:
    """Run the sweeps that are due; return how many facts were not known here."""
    news = 0
    for shop_id in shops:
        for plan in plans:
            sweep = await desk.payments.claim_sweep(shop_id, name=plan.name, every=plan.every)
            if sweep is not None:
                news += await _sweep(sweep, plan=plan, desk=desk)
    return news


async def _sweep(sweep: Sweep, *, plan: SweepPlan, desk: Desk) -> int:
    until = desk.clock()
    begin = min(sweep.swept_until or until, until) - plan.reach
    news = 0
    try:
        for flavour in Flavour:
            news += await _sweep_list(sweep, flavour=flavour, window=(begin, until), desk=desk)
    except (ProviderUnavailable, ProviderRefused) as exc:
        # How far it came is not remembered, so the next one looks at the same window again.
        facts = {"shop_id": sweep.shop_id, "sweep": sweep.name, "fault": str(exc)}
        log.warning("sweep put off", extra=facts)
        return news
    await desk.payments.finish_sweep(sweep, until=until)
    if news:
        log.info("swept", extra={"shop_id": sweep.shop_id, "sweep": sweep.name, "news": news})
    return news


async def _sweep_list(
    sweep: Sweep, *, flavour: Flavour, window: tuple[datetime, datetime], desk: Desk
) -> int:
    news, seen = 0, set[str]()
    # A little beyond now, because the provider's clock may be ahead of ours.
    reach = (window[0], window[1] + timedelta(minutes=5))
    for page in range(MOST_PAGES):
        found = await desk.provider.search(sweep.shop_id, flavour=flavour, window=reach, page=page)
        fresh = [fact for fact in found.facts if fact.provider_id not in seen]
        seen |= {fact.provider_id for fact in fresh}
        news += await _compare(fresh, shop_id=sweep.shop_id, desk=desk)
        if found.is_last or not fresh:
            return news
    log.error("sweep cut off", extra={"shop_id": sweep.shop_id, "pages": MOST_PAGES})
    return news


async def _compare(facts: Sequence[ProviderFact], *, shop_id: ShopId, desk: Desk) -> int:
    known = await desk.payments.charges_of(shop_id, [fact.reference for fact in facts])
    news = 0
    for fact in facts:
        charge = known.get(fact.reference)
        if charge is not None and is_known(charge, fact):
            continue
        news += await _apply(fact, shop_id=shop_id, desk=desk)
    return news


def is_known(charge: Charge, fact: ProviderFact) -> bool:
    """Tell whether our books say already what the provider's list says."""
    refunded = fact.refunded.cents if fact.refunded else 0
    if fact.flavour is not charge.flavour and fact.parent_id == charge.provider_id is not None:
        # A payment behind our order: the order's own line in its list says the same.
        return charge.status not in OPEN or fact.status is ProviderStatus.WAITING
    if charge.provider_id != fact.provider_id:
        booked = charge.balance_of(fact.provider_id)
        return booked.charged.cents > 0 and booked.refunded.cents >= refunded
    if charge.balance.refunded.cents < refunded:
        return False
    late = charge.status in (ChargeStatus.PAID_LATE, ChargeStatus.REFUNDING)
    if late or charge.status is ChargeStatus.REVIEW:
        return True  # It is followed to its end by other means.
    return charge.status in _SAME.get(fact.status, frozenset())


async def _apply(fact: ProviderFact, *, shop_id: ShopId, desk: Desk) -> bool:
    async def finish(unit: PaymentsUnit, found: Found) -> None:
        before, outcome = found.before, found.outcome
        if before is not None and outcome is not None and outcome.charge.status != before.status:
            await unit.note_repair(outcome.charge, before=before.status, source=SOURCE)

    found = await apply_truth(fact, shop_id=shop_id, desk=desk, source=SOURCE, finish=finish)
    return found.verdict not in ("unchanged", "foreign", "stale")
