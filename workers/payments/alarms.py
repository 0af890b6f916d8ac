"""Chargebacks, claims and fraud alerts: each opens a case by its name and has its charge re-read.

A verified notification is enough for a case, for a case moves no money. The body only helps to find
the payment that it is about; what became of that payment is read from the provider.
"""

import json
import logging
from typing import Any

from comanda.envelope import Envelope
from comanda.events import NotificationReceived, PaymentHeld
from comanda.mercadopago.values import Flavour
from workers.payments.cases import Case, CaseKind
from workers.payments.model import Charge, ProviderFact
from workers.payments.ports import Desk, NotificationVerdict, PaymentsUnit
from workers.payments.provider import ProviderUnavailable
from workers.payments.records import record_of
from workers.payments.truth import Found, apply_truth
from workers.runtime.errors import RetryLater

log = logging.getLogger(__name__)
ALARMS = {
    "topic_chargebacks_wh": CaseKind.CHARGED_BACK,
    "chargebacks": CaseKind.CHARGED_BACK,
    "topic_claims_integration_wh": CaseKind.CLAIM,
    "claims": CaseKind.CLAIM,
    "stop_delivery_op_wh": CaseKind.FRAUD_ALERT,
    "delivery_cancellation": CaseKind.FRAUD_ALERT,
}


async def record_alarm(message: Envelope, *, desk: Desk) -> None:
    """Open the case, re-read the payment, and hold the order on a fraud alert."""
    event = message.event
    assert isinstance(event, NotificationReceived)  # The caller looked at the topic.
    kind = ALARMS[event.topic]
    payment_id = _payment_id(event, kind=kind)
    try:
        fact = await _fetch(event, payment_id, desk=desk)

        async def finish(unit: PaymentsUnit, found: Found) -> None:
            await _keep(message, kind=kind, charge=found.before, unit=unit, payment=payment_id)

        if fact is not None:
            await apply_truth(
                fact,
                shop_id=event.shop_id,
                desk=desk,
                source=f"webhook {message.id}",
                finish=finish,
                cause=message,
            )
            return
    except ProviderUnavailable as exc:
        raise RetryLater(exc.retry_after) from exc
    async with desk.payments.begin(message) as unit:
        await _keep(message, kind=kind, charge=None, unit=unit, payment=payment_id)


async def _fetch(
    event: NotificationReceived, payment_id: str, *, desk: Desk
) -> ProviderFact | None:
    if not payment_id:
        return None
    is_number = payment_id.isascii() and payment_id.isdigit()
    flavour = Flavour.PAYMENTS if is_number else Flavour.ORDERS
    return await desk.provider.fetch(event.shop_id, payment_id, flavour=flavour)


async def _keep(
    message: Envelope,
    *,
    kind: CaseKind,
    charge: Charge | None,
    unit: PaymentsUnit,
    payment: str,
) -> None:
    event = message.event
    assert isinstance(event, NotificationReceived)  # As in `record_alarm`.
    case = Case(
        shop_id=event.shop_id,
        kind=kind,
        subject=event.resource_id,
        order_id=charge.order_id if charge else None,
        detail=f"{event.topic} {event.resource_id} about payment {payment or 'unknown'}",
        opened_at=unit.now,
    )
    await unit.open_case(case)
    if kind is CaseKind.FRAUD_ALERT and charge is not None:
        held = PaymentHeld(
            shop_id=charge.shop_id,
            order_id=charge.order_id,
            charge_id=charge.id,
            reason=kind.value,
        )
        unit.emit(held)
    await unit.record(record_of(message, NotificationVerdict.RECORDED, charge=charge))
    log.error("alarm", extra={"kind": kind, "resource_id": event.resource_id[:80]})


def _payment_id(event: NotificationReceived, *, kind: CaseKind) -> str:
    try:
        content: Any = json.loads(event.request.body or "{}")
    except (ValueError, RecursionError):
        content = {}
    data = content.get("data") if isinstance(content, dict) else None
    told = data.get("payment_id") if isinstance(data, dict) else None
    if isinstance(told, (str, int)) and not isinstance(told, bool) and str(told):
        return str(told)[:64]
    # An alert has no resource but the payment; a chargeback's own id is not a payment's.
    return event.resource_id if kind is CaseKind.FRAUD_ALERT else ""
