"""What people of a shop may decide over HTTP: refunds, and cases closed with a reason."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from psycopg import OperationalError

from comanda.identity.verifier import Identity
from comanda.money import ZERO, InvalidMoney, Money
from workers.payments.cases import Resolution
from workers.payments.decisions import NotRefundable
from workers.payments.operators import (
    CaseUnknown,
    ChargeUnknown,
    KeyReused,
    NothingToAsk,
    RefundWish,
    check_charge,
    refund_by_operator,
    resolve_case,
)
from workers.payments.ports import Payments
from workers.payments.report_views import RefundBody, ResolutionBody
from workers.payments.shops import NamedCharge
from workers.payments.views import AttemptView, CaseView, ChargeView
from workers.runtime.errors import StoreUnavailable
from workers.runtime.http import KnownShop, Problem, staff, unavailable
from workers.runtime.problems import document_refusals

Manager = Annotated[Identity, Depends(staff("manager", "owner"))]
_KEY = r"[\x21-\x7e]{1,64}"


def payments_of(request: Request) -> Payments:
    """Give what the lifespan connected."""
    payments: Payments = request.app.state.payments
    return payments


Store = Annotated[Payments, Depends(payments_of)]
Key = Annotated[str, Header(alias="Idempotency-Key", pattern=f"^{_KEY}$")]
router = APIRouter(prefix="/apis/payments/{shop}")


@router.post("/charges/{charge_id}/refunds", status_code=201, responses=document_refusals(409))
async def refund(
    charge_id: NamedCharge,
    body: RefundBody,
    *,
    shop: KnownShop,
    manager: Manager,
    key: Key,
    payments: Store,
    response: Response,
) -> AttemptView:
    """Pay back all or a part; the answer says that it is planned, its charge how it went."""
    wish = RefundWish(
        shop_id=shop,
        charge_id=charge_id,
        key=key,
        amount=_amount(body.amount),
        reason=body.reason.strip(),
        by=manager.subject,
    )
    try:
        attempt, is_replayed = await refund_by_operator(wish, payments=payments)
    except ChargeUnknown as exc:
        raise Problem(404, "There is no such charge") from exc
    except KeyReused as exc:
        detail = "this Idempotency-Key named another refund of this charge"
        raise Problem(422, "Idempotency-Key reused", detail=detail) from exc
    except NotRefundable as exc:
        raise Problem(409, "This cannot be paid back", detail=str(exc)) from exc
    except (OperationalError, StoreUnavailable) as exc:
        raise unavailable("the database of payments is out of reach") from exc
    if is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return AttemptView.of(attempt)


@router.post("/charges/{charge_id}/check", status_code=202, responses=document_refusals(409))
async def check(
    charge_id: NamedCharge, *, shop: KnownShop, manager: Manager, payments: Store
) -> ChargeView:
    """Have a charge read at the provider now; its ledger tells within seconds what that said."""
    try:
        charge = await check_charge(shop, charge_id, by=manager.subject, payments=payments)
    except ChargeUnknown as exc:
        raise Problem(404, "There is no such charge") from exc
    except NothingToAsk as exc:
        detail = "it has not been made at the provider; that is tried again by itself"
        raise Problem(409, "There is nothing to ask yet", detail=detail) from exc
    except (OperationalError, StoreUnavailable) as exc:
        raise unavailable("the database of payments is out of reach") from exc
    return ChargeView.of(charge)


@router.post("/cases/{case_id}/resolution")
async def resolution(
    case_id: int, body: ResolutionBody, *, shop: KnownShop, manager: Manager, payments: Store
) -> CaseView:
    """Close a case and keep who did it and why."""
    resolved = Resolution(by=manager.subject, reason=body.reason.strip())
    try:
        case = await resolve_case(shop, case_id, resolved, payments=payments)
    except CaseUnknown as exc:
        raise Problem(404, "There is no such open case") from exc
    except (OperationalError, StoreUnavailable) as exc:
        raise unavailable("the database of payments is out of reach") from exc
    return CaseView.of(case)


def _amount(text: str | None) -> Money | None:
    if text is None:
        return None
    try:
        amount = Money.parse(text)
    except InvalidMoney as exc:
        raise _bad_amount(str(exc)) from exc
    if amount == ZERO:
        raise _bad_amount("nothing cannot be paid back")
    return amount


def _bad_amount(message: str) -> Problem:
    errors = [{"field": "body.amount", "message": message}]
    return Problem(422, "Invalid request", detail="see errors", errors=errors)
