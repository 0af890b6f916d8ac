"""A customer's visit: a guest's token in a sealed cookie of one browser.

A kiosk begins a new visit with each order, so nobody sees the orders of whoever stood there before.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import Request

from comanda.ids import ShopId
from console.screens.contexts import Call, Context
from console.screens.doors import Desk, give_cookie

VISIT_COOKIE = "__Secure-visit"
# A guest's token is good for two hours.
_LONGEST = timedelta(hours=2)
PHONE = "celular"
_KIOSK = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)


def kiosk_named(text: str) -> str:
    """Give the name of a kiosk; who names none, or nonsense, holds a phone."""
    return text if _KIOSK.fullmatch(text) else PHONE


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """Who orders, and where they stand; the token is in no `repr`."""

    shop: ShopId
    token: str = field(repr=False)
    kiosk: str

    @property
    def is_kiosk(self) -> bool:
        """Tell whether others will stand at this screen after them."""
        return self.kiosk != PHONE


async def begin_visit(desk: Desk, request: Request, *, shop: ShopId, kiosk: str, cpf: str) -> None:
    """Get a guest's token and let the answer carry it; raise `Refused` or `OutOfReach`."""
    body = {"kiosk": kiosk} | ({"cpf": cpf} if cpf else {})
    call = Call(method="POST", context=Context.AUTH, shop=shop, path="/guests", body=body)
    token = (await desk.contexts.read(call))["access_token"]
    sealed = desk.sealer.seal({"shop": shop, "token": token, "kiosk": kiosk})
    seconds = int(_LONGEST.total_seconds())
    give_cookie(request, VISIT_COOKIE, sealed, shop, seconds=seconds)


def visit_in(desk: Desk, request: Request, shop: ShopId) -> Visit | None:
    """Give the visit that the request's cookie holds, if it is one of this shop."""
    content = desk.sealer.open(request.cookies.get(VISIT_COOKIE, ""), age=_LONGEST)
    if content is None or content.get("shop") != shop:
        return None
    return Visit(shop=shop, token=str(content["token"]), kiosk=str(content["kiosk"]))
