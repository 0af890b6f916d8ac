"""Go through the provider's own list by windows, so that nothing there is unknown here.

Each shop has a short sweep of what was made lately, one of the last days, and a rare one of the
last months, for a payer's bank may want its money back after weeks. What agrees with our books
costs a comparison; what does not is applied like any other fact.
"""

import logging
from collections.abc import AsyncIterator, Sequence
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
    """How often a sweep runs, how far back it looks, and whether money of others is a case."""

    name: str
    every: timedelta
    reach: timedelta
    has_strangers: bool = True


PLANS = (
    SweepPlan(name="recent", every=timedelta(minutes=1), reach=timedelta(minutes=15)),
    SweepPlan(name="days", every=timedelta(hours=1), reach=timedelta(hours=50)),
)
# Money of others that is that old came before Comanda did, or is a case since the other sweeps.
LONG_PLANS = (
    SweepPlan(
        name="months", every=timedelta(days=1), reach=timedelta(days=90), has_strangers=False
    ),
)
_SAME = {
    ProviderStatus.EXPIRED: CLOSED,
    ProviderStatus.CANCELLED: CLOSED,
    ProviderStatus.REJECTED: CLOSED,
    ProviderStatus.PAID: frozenset({ChargeStatus.PAID, ChargeStatus.DISPUTED}),
    ProviderStatus.REFUNDED: frozenset({ChargeStatus.REFUNDED}),
    ProviderStatus.PARTIALLY_REFUNDED: frozenset({ChargeStatus.PARTIALLY_REFUNDED}),
    ProviderStatus.DISPUTED: frozenset({ChargeStatus.DISPUTED}),
    ProviderStatus.CHARGED_BACK: frozenset({ChargeStatus.CHARGED_BACK}),
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
    tally = _Tally()
    try:
        for flavour in Flavour:
            pages = _listed(sweep, flavour=flavour, window=(begin, until), desk=desk)
            async for page in pages:
                await _compare(page, plan=plan, tally=tally, shop_id=sweep.shop_id, desk=desk)
    except (ProviderUnavailable, ProviderRefused) as exc:
        # How far it came is not remembered, so the next one looks at the same window again.
        log.warning("sweep put off", extra={**_facts(sweep), "fault": str(exc)})
        return tally.news
    if not tally.has_failed:
        await desk.payments.finish_sweep(sweep, until=until)
    if tally.news:
        log.info("swept", extra={**_facts(sweep), "news": str(tally.news)})
    return tally.news


@dataclass(kw_only=True, slots=True)
class _Tally:
    news: int = 0
    has_failed: bool = False


async def _listed(
    sweep: Sweep, *, flavour: Flavour, window: tuple[datetime, datetime], desk: Desk
) -> AsyncIterator[Sequence[ProviderFact]]:
    seen = set[str]()
    # Beyond now, because the provider's clock may be ahead of ours.
    reach = (window[0], window[1] + timedelta(days=1))
    for page in range(MOST_PAGES):
        found = await desk.provider.search(sweep.shop_id, flavour=flavour, window=reach, page=page)
        fresh = [fact for fact in found.facts if fact.provider_id not in seen]
        seen |= {fact.provider_id for fact in fresh}
        yield fresh
        if found.is_last or not fresh:
            return
    log.error("sweep cut off", extra={**_facts(sweep), "pages": MOST_PAGES})


async def _compare(
    facts: Sequence[ProviderFact], *, plan: SweepPlan, tally: _Tally, shop_id: ShopId, desk: Desk
) -> None:
    known = await desk.payments.charges_of(shop_id, [fact.reference for fact in facts])
    for fact in facts:
        charge = known.get(fact.reference)
        if charge is not None and is_known(charge, fact):
            continue
        is_ours = charge is not None or plan.has_strangers
        if not is_ours and await desk.payments.find(shop_id, fact.provider_id) is None:
            continue
        try:
            tally.news += await _apply(fact, shop_id=shop_id, desk=desk)
        except (ProviderUnavailable, ProviderRefused):
            raise
        except Exception:
            # One fact that cannot be applied must not hide the money behind it in the list.
            tally.has_failed = True
            log.exception(
                "fact not applied", extra={"shop_id": shop_id, "provider_id": fact.provider_id}
            )


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


def _facts(sweep: Sweep) -> dict[str, object]:
    return {"shop_id": sweep.shop_id, "sweep": sweep.name}
