"""What everybody may see: the menu in the order of the steps, the shop's hours, pictures."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from comanda.menu import Category
from workers.catalog.doors import Now, Reader, answered, cached, problems, tagged
from workers.catalog.products import folded
from workers.catalog.views import MenuView, ShopView
from workers.runtime.http import KnownShop, Problem

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST_WORDS = 8

router = APIRouter(prefix="/apis/catalog/{shop}", responses=problems(404, 503))


@router.get("/menu", response_model=MenuView, responses={304: {"description": "Not modified"}})
async def menu(
    shop: KnownShop,
    *,
    reader: Reader,
    now: Now,
    category: Category | None = None,
    q: Annotated[str, Query(max_length=60, description="words; accents do not matter")] = "",
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Show what the shop sells; with an `ETag`, so that an unchanged menu is not sent twice."""
    rules = await answered(reader.rules(shop))
    words = folded(re.sub(r"[\x00-\x1f\x7f]", " ", q)).split()[:_MOST_WORDS]
    if words or category:
        products = await answered(reader.search(shop, words=words, category=category))
    else:
        products = await answered(reader.menu(shop))
    view = MenuView.of(products, rules=rules, now=now)
    return cached(view.model_dump_json(), if_none_match=if_none_match)


@router.get("/shop")
async def shop_rules(shop: KnownShop, *, reader: Reader, now: Now, response: Response) -> ShopView:
    """Show when the shop takes orders; the `ETag` is what an edit must name."""
    rules = await answered(reader.rules(shop))
    response.headers.update(tagged(rules.version))
    return ShopView.at(rules, now=now)


@router.get(
    "/pictures/{digest}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}, "image/webp": {}}}},
)
async def picture(shop: KnownShop, digest: str, *, reader: Reader) -> Response:
    """Show a picture; its address names its bytes, so it may be kept for ever."""
    found = await answered(reader.picture(shop, digest)) if _DIGEST.fullmatch(digest) else None
    if found is None:
        raise Problem(404, "There is no such picture")
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{digest[:32]}"',
        # A file that pretends to be a picture must not become a page.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(found.content, media_type=found.media_type, headers=headers)
