"""A customer who signed in: their session in a sealed cookie, renewed on the way.

On a kiosk the session is for one order: it holds no refresh token, lasts a quarter of an hour, and
is forgotten by the start page, so nobody finds the account of whoever stood there before.
"""

import hmac
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from comanda.ids import ShopId
from console.screens.contexts import Refused
from console.screens.doors import Desk, KnownShop, NotHere, OpenDesk, form_of, give_cookie
from console.screens.sealing import TooLarge
from console.screens.sessions import LONGEST_VISIT, Session
from console.screens.visits import PHONE, Visit, visit_in

CUSTOMER_COOKIE = "__Secure-customer"
_AT_A_KIOSK = timedelta(minutes=15)


class CustomerNeeded(Exception):
    """No customer is signed in, or not any more."""

    def __init__(self, shop: ShopId) -> None:
        super().__init__(shop)
        self.shop = shop


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """Who signed in, and where they stand; the session's `username` is their first name."""

    session: Session
    kiosk: str

    @property
    def visit(self) -> Visit:
        """Give the visit in which they order."""
        return Visit(shop=self.session.shop, token=self.session.access_token, kiosk=self.kiosk)

    def called(self, name: str) -> "Customer":
        """Give them by another name."""
        return replace(self, session=replace(self.session, username=first_name(name)))


def first_name(name: str) -> str:
    """Give what somebody is greeted by."""
    return (name.split() or ["cliente"])[0][:40]


def keep_customer(request: Request, desk: Desk, customer: Customer) -> None:
    """Let the answer carry the session; raise `TooLarge`."""
    longest = LONGEST_VISIT if customer.kiosk == PHONE else _AT_A_KIOSK
    sealed = desk.sealer.seal({**asdict(customer.session), "kiosk": customer.kiosk})
    shop, seconds = customer.session.shop, int(longest.total_seconds())
    give_cookie(request, CUSTOMER_COOKIE, sealed, shop, seconds=seconds)


def forget_customer(request: Request, shop: ShopId) -> None:
    """Let the answer take the session away."""
    give_cookie(request, CUSTOMER_COOKIE, "", shop, seconds=0)


async def customer_in(desk: Desk, request: Request, shop: ShopId) -> Customer | None:
    """Give who is signed in, with a token that is good; raise `OutOfReach`."""
    found = _opened(desk, request.cookies.get(CUSTOMER_COOKIE, ""), shop=shop)
    if found is None:
        return None
    if not found.session.refresh_token:
        # A kiosk's: it ends with its token.
        return found if found.session.ends_at > desk.sessions.now().timestamp() else None
    try:
        fresh = await desk.sessions.fresh(found.session)
        if fresh is found.session:
            return found
        renewed = Customer(session=fresh, kiosk=found.kiosk)
        keep_customer(request, desk, renewed)
    except (Refused, TooLarge):
        forget_customer(request, shop)
        return None
    return renewed


def _opened(desk: Desk, cookie: str, *, shop: ShopId) -> Customer | None:
    content = desk.sealer.open(cookie, age=LONGEST_VISIT)
    if content is None or content.get("shop") != shop or "kiosk" not in content:
        return None
    kiosk = str(content.pop("kiosk"))
    try:
        session = Session(**{**content, "shop": shop, "groups": tuple(content["groups"])})
    except (TypeError, KeyError):
        # Another release sealed it, with other fields: its owner signs in again.
        return None
    return Customer(session=session, kiosk=kiosk)


async def customer_of(shop: KnownShop, desk: OpenDesk, request: Request) -> Customer:
    """Give who is signed in; check the form's token of what changes."""
    customer = await customer_in(desk, request, shop)
    if customer is None:
        raise CustomerNeeded(shop)
    if request.method not in ("GET", "HEAD"):
        sent = (await form_of(request)).get("csrf", "")
        if not hmac.compare_digest(sent.encode(), customer.session.csrf.encode()):
            raise CustomerNeeded(shop)
    return customer


async def visit_of(shop: KnownShop, desk: OpenDesk, request: Request) -> Visit:
    """Give the visit of whoever orders: a customer's own, else a guest's."""
    customer = await customer_in(desk, request, shop)
    visit = customer.visit if customer else visit_in(desk, request, shop)
    if visit is None:
        raise NotHere
    return visit


async def to_the_door(_: Request, exc: Exception) -> Response:
    """Lead to the customers' door."""
    assert isinstance(exc, CustomerNeeded)  # Starlette calls by type; this tells mypy so.
    return RedirectResponse(f"/loja/{exc.shop}/conta/entrar", status_code=303)


OpenCustomer = Annotated[Customer, Depends(customer_of)]
OpenVisit = Annotated[Visit, Depends(visit_of)]
