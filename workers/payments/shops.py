"""The shop of a path: one of those that this process serves, or 404."""

from typing import Annotated

from fastapi import Depends, Request

from comanda.ids import InvalidShopId, ShopId
from workers.runtime.http import Problem


def known_shop(shop: str, request: Request) -> ShopId:
    """Take the shop of the path; 404 when there is none of that name."""
    try:
        shop_id = ShopId(shop)
    except InvalidShopId as exc:
        raise Problem(404, "There is no such shop") from exc
    if shop_id not in request.app.state.shops:
        raise Problem(404, "There is no such shop")
    return shop_id


KnownShop = Annotated[ShopId, Depends(known_shop)]
