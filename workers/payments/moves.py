"""How a charge is changed and what is planned with it; facts and decisions share these steps."""

from dataclasses import replace
from datetime import datetime

from comanda.money import Money
from workers.payments.attempts import Attempt, AttemptKind, attempt_id
from workers.payments.cases import SETTLED_BY_REFUND, Case, CaseKind, Settlement
from workers.payments.ledger import OWN
from workers.payments.model import Charge, ChargeStatus, ProviderFact, next_check

# Who asks for what nobody asked for.
OURSELVES = "comanda"


def moved(charge: Charge, *, to: ChargeStatus, now: datetime) -> Charge:
    """Put a charge into a status; its bytes are kept only while they may have to be sent."""
    # The bytes hold the payer's address, which is not kept longer than that.
    after = replace(charge, status=to, checks=0)
    if not after.is_to_create:
        after = replace(after, request=None)
    return replace(after, next_check_at=next_check(after, now=now))


def asked(charge: Charge, *, fact: ProviderFact, now: datetime) -> Charge:
    """Note that the provider was asked, and when it is asked next."""
    began = max(fact.asked_at, charge.fetch_began_at or fact.asked_at)
    after = replace(charge, fetch_began_at=began)
    return replace(after, next_check_at=next_check(after, now=now))


def known(charge: Charge, *, fact: ProviderFact, now: datetime) -> Charge:
    """Note what the provider's answer tells besides its status."""
    after = replace(
        charge,
        provider_id=fact.provider_id,
        payment_id=fact.payment_id or charge.payment_id,
        provider_updated_at=fact.updated_at,
        pix_code=charge.pix_code or fact.pix_code,
        expires_at=charge.expires_at or fact.expires_at,
    )
    return asked(after, fact=fact, now=now)


def case(charge: Charge, *, kind: CaseKind, detail: str, now: datetime, subject: str = "") -> Case:
    """Open a case about a charge."""
    return Case(
        shop_id=charge.shop_id,
        kind=kind,
        subject=subject or charge.id,
        order_id=charge.order_id,
        detail=detail,
        opened_at=now,
    )


def settled_by_refund(charge: Charge) -> tuple[Settlement, ...]:
    """Settle what is over once all that came went back."""
    reason = "all that was paid went back"
    return tuple(Settlement(kind=k, subject=charge.id, reason=reason) for k in SETTLED_BY_REFUND)


def plan_cancel(charge: Charge, *, reason: str, now: datetime) -> Attempt:
    """Plan to cancel at the provider what waits there; once per charge."""
    return Attempt(
        id=attempt_id(charge.id, AttemptKind.CANCEL),
        shop_id=charge.shop_id,
        charge_id=charge.id,
        order_id=charge.order_id,
        kind=AttemptKind.CANCEL,
        amount=None,
        reason=reason,
        requested_by=OURSELVES,
        created_at=now,
        next_try_at=now,
    )


def plan_refund(
    charge: Charge,
    *,
    amount: Money,
    reason: str,
    now: datetime,
    resource: ProviderFact | None = None,
) -> Attempt:
    """Plan to pay back what nobody may keep; the same reason for the same payment plans it once."""
    resource_id = resource.provider_id if resource else OWN
    return Attempt(
        id=attempt_id(charge.id, AttemptKind.REFUND, resource_id, reason),
        shop_id=charge.shop_id,
        charge_id=charge.id,
        order_id=charge.order_id,
        kind=AttemptKind.REFUND,
        amount=amount,
        reason=reason,
        requested_by=OURSELVES,
        created_at=now,
        resource_id=resource_id,
        flavour=resource.flavour if resource else None,
        next_try_at=now,
    )
