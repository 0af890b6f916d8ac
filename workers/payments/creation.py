"""Create the charge of an order: the row first, then the provider's answer, then its effect.

`StockReserved` arrives; `ChargeCreated` or `ChargeRefused` leaves. A crash at any point leaves a
row with the exact bytes, which a redelivery or the reconciliation sends again under the same key.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from comanda.envelope import Envelope
from comanda.events import StockReserved
from comanda.money import ZERO
from workers.payments.decisions import doubt_charge, refuse_charge
from workers.payments.facts import apply_fact
from workers.payments.model import RESEND_AFTER, Charge, Outcome
from workers.payments.ports import Desk
from workers.payments.provider import ProviderKeyReused, ProviderRefused, ProviderUnavailable
from workers.runtime.errors import InvalidMessage, RetryLater

log = logging.getLogger(__name__)
Judgement = Callable[[Charge, datetime], Outcome]

# A queue counts receives and gives up on a message; the row's own schedule never does.
HAND_OVER = timedelta(seconds=30)


async def create_charge(message: Envelope, *, desk: Desk) -> None:
    """Make the one charge of an order whose stock is held."""
    event = message.event
    assert isinstance(event, StockReserved)  # The consumer dispatches by type.
    if event.total == ZERO:
        raise InvalidMessage("an order of nothing cannot be charged")
    try:
        draft = await _draft(event, desk=desk)
    except ProviderUnavailable as exc:
        raise RetryLater(exc.retry_after) from exc
    charge = await desk.payments.open(draft)
    if charge is None or not charge.is_to_create:
        await _acknowledge(message, desk=desk)
        return
    try:
        await send(charge, desk=desk, cause=message)
    except RetryLater:
        if desk.clock() - charge.created_at < HAND_OVER:
            raise
        log.warning("charge left to the reconciliation", extra={"charge_id": charge.id})
        await _acknowledge(message, desk=desk)


async def send(charge: Charge, *, desk: Desk, cause: Envelope | None = None) -> None:
    """Send the stored bytes, outside any transaction, and save what comes of it."""
    judge = await _ask(charge, desk=desk)
    async with desk.payments.begin(cause) as unit:
        locked = await unit.lock(charge.shop_id, charge.id)
        if locked is None:
            raise RetryLater  # Rows are never deleted: this is a restore under way.
        outcome = judge(locked, unit.now)
        await unit.save(outcome, source="create")
    log.info(
        "charge answered",
        extra={
            "charge_id": charge.id,
            "verdict": outcome.verdict,
            "status": outcome.charge.status,
        },
    )


async def _draft(event: StockReserved, *, desk: Desk) -> Charge:
    email = None
    if event.customer_id is not None:
        email = await desk.payments.payer_email(event.shop_id, event.customer_id)
    now = desk.clock()
    charge_id = desk.new_charge_id(now)
    prepared = await desk.provider.prepare(
        charge_id, shop_id=event.shop_id, amount=event.total, payer_email=email
    )
    return Charge(
        id=charge_id,
        shop_id=event.shop_id,
        order_id=event.order_id,
        amount=event.total,
        receiver=prepared.receiver,
        request=prepared.request,
        flavour=prepared.flavour,
        created_at=now,
        next_check_at=now + RESEND_AFTER,
    )


async def _ask(charge: Charge, *, desk: Desk) -> Judgement:
    try:
        fact = await desk.provider.create(charge)
    except ProviderUnavailable as exc:
        raise RetryLater(exc.retry_after) from exc
    except ProviderRefused as exc:
        reason = exc.reason
        log.warning("charge refused", extra={"charge_id": charge.id, "reason": reason})
        return lambda locked, now: refuse_charge(locked, reason=reason, now=now)
    except ProviderKeyReused as exc:
        detail = str(exc)
        log.error("idempotency key reused", extra={"charge_id": charge.id})
        # Their charge is refused already, so these bytes need not name anybody any more.
        bare = desk.provider.without_payer(charge)
        return lambda locked, now: doubt_charge(locked, detail=detail, request=bare, now=now)
    log.debug("provider made it", extra={"charge_id": charge.id, "request_id": fact.request_id})
    return lambda locked, now: apply_fact(locked, fact=fact, now=now)


async def _acknowledge(message: Envelope, *, desk: Desk) -> None:
    """Record in the inbox that nothing is left to do."""
    async with desk.payments.begin(message):
        pass
