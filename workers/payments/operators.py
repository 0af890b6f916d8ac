"""What people of the shop decide: refunds by their own key, and cases closed with a reason."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from comanda.events import PaymentReleased
from comanda.ids import ChargeId, ShopId
from comanda.money import Money
from workers.payments.attempts import Attempt, AttemptKind, attempt_id
from workers.payments.cases import Case, CaseKind, Resolution
from workers.payments.decisions import refund_charge
from workers.payments.model import Charge
from workers.payments.ports import Payments

log = logging.getLogger(__name__)


class ChargeUnknown(Exception):
    """The shop has no charge of this id."""


class CaseUnknown(Exception):
    """The shop has no open case of this id."""


class NothingToAsk(Exception):
    """The provider knows nothing of this charge yet, so there is nothing to ask it."""


class KeyReused(Exception):
    """The key named another refund of this charge before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundWish:
    """What an operator asks for; without an amount it is all that is left."""

    shop_id: ShopId
    charge_id: ChargeId
    key: str
    amount: Money | None
    reason: str
    by: str


async def refund_by_operator(wish: RefundWish, *, payments: Payments) -> tuple[Attempt, bool]:
    """Plan a refund and give it; the same key again gives the same one, and `True`.

    Raise `ChargeUnknown`, `KeyReused` or `NotRefundable`.
    """
    async with payments.begin() as unit:
        charge = await unit.lock(wish.shop_id, wish.charge_id)
        if charge is None:
            raise ChargeUnknown(wish.charge_id)
        others = await unit.attempts(charge.id)
        wanted = _attempt(wish, charge=charge, now=unit.now)
        known = next((other for other in others if other.id == wanted.id), None)
        if known is not None:
            _check_same(known, wish)
            return known, True
        allowed = refund_charge(charge, wanted=wanted, others=others)
        await unit.add_attempt(allowed)
    log.warning(
        "refund asked for",
        extra={"charge_id": charge.id, "amount": str(allowed.amount), "by": wish.by},
    )
    return allowed, False


async def check_charge(
    shop_id: ShopId, charge_id: ChargeId, *, by: str, payments: Payments
) -> Charge:
    """Make a charge due to be read at the provider, which the worker does within two seconds.

    What it says is applied by the one function that applies facts, whatever the charge's status.
    Raise `ChargeUnknown` or `NothingToAsk`.
    """
    async with payments.begin() as unit:
        charge = await unit.lock(shop_id, charge_id)
        if charge is None:
            raise ChargeUnknown(charge_id)
        if charge.provider_id is None:
            raise NothingToAsk(charge_id)
        due = replace(charge, next_check_at=unit.now)
        await unit.save_charge(due)
    log.warning("check asked for", extra={"charge_id": charge_id, "by": by})
    return due


async def resolve_case(
    shop_id: ShopId, case_id: int, resolution: Resolution, *, payments: Payments
) -> Case:
    """Close a case for good; a suspicion of fraud that is closed lets its order go on."""
    async with payments.begin() as unit:
        case = await unit.resolve_case(shop_id, case_id, resolution)
        if case is None:
            raise CaseUnknown(str(case_id))
        if case.kind is CaseKind.FRAUD_ALERT and case.order_id is not None:
            charge = await unit.lock_of_order(shop_id, case.order_id)
            if charge is not None:
                unit.emit(
                    PaymentReleased(shop_id=shop_id, order_id=charge.order_id, charge_id=charge.id)
                )
    log.warning("case closed", extra={"case_id": case_id, "kind": case.kind, "by": resolution.by})
    return case


def _attempt(wish: RefundWish, *, charge: Charge, now: datetime) -> Attempt:
    return Attempt(
        id=attempt_id(charge.id, AttemptKind.REFUND, "operator", wish.key),
        shop_id=charge.shop_id,
        charge_id=charge.id,
        order_id=charge.order_id,
        kind=AttemptKind.REFUND,
        amount=wish.amount,
        is_whole=wish.amount is None,
        reason=wish.reason,
        requested_by=wish.by,
        created_at=now,
        next_try_at=now,
    )


def _check_same(known: Attempt, wish: RefundWish) -> None:
    is_whole = wish.amount is None
    is_same_amount = known.is_whole == is_whole and (is_whole or known.amount == wish.amount)
    if not is_same_amount or known.reason != wish.reason:
        raise KeyReused(wish.key)
