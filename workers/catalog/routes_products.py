"""What managers and owners do to the menu; the kitchen may say that something is sold out."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from comanda.ids import ProductId, new_id
from workers.catalog.bodies import AvailabilityBody, ProductBody
from workers.catalog.doors import (
    Crew,
    Manager,
    NamedProduct,
    Now,
    Reader,
    Store,
    WantedVersion,
    answered,
    body_of,
    problems,
    refusing,
    tagged,
)
from workers.catalog.managing import create_product, edit_product
from workers.catalog.pictures import LARGEST_PICTURE, picture_of
from workers.catalog.products import Product
from workers.catalog.views import PricesView, PriceView, StaffProductsView, StaffProductView
from workers.runtime.http import KnownShop, Problem

router = APIRouter(
    prefix="/apis/catalog/{shop}/products", responses=problems(400, 401, 403, 404, 409, 422, 503)
)
_EDIT = problems(412, 428)


@router.get("")
async def products(shop: KnownShop, _: Crew, *, reader: Reader) -> StaffProductsView:
    """Show all products, retired ones too."""
    found = await answered(reader.all_products(shop))
    return StaffProductsView(products=[StaffProductView.of(product) for product in found])


@router.post("", status_code=201)
async def create(
    shop: KnownShop,
    body: ProductBody,
    who: Manager,
    *,
    catalog: Store,
    now: Now,
    response: Response,
) -> StaffProductView:
    """Put a new product on the menu."""
    draft = body.product(product_id=ProductId(new_id(now)), shop_id=shop)
    async with refusing():
        made = await create_product(draft, catalog=catalog, author=who.subject)
    response.headers["Location"] = f"/apis/catalog/{shop}/products/{made.id}"
    return _shown(made, response)


@router.get("/{product_id}")
async def product(
    shop: KnownShop, product_id: NamedProduct, _: Crew, *, reader: Reader, response: Response
) -> StaffProductView:
    """Show a product; the `ETag` is what an edit must name."""
    found = await answered(reader.find_product(shop, product_id))
    if found is None:
        raise Problem(404, "There is no such product")
    return _shown(found, response)


@router.put("/{product_id}", responses=_EDIT)
async def edit(
    shop: KnownShop,
    product_id: NamedProduct,
    body: ProductBody,
    who: Manager,
    *,
    version: WantedVersion,
    catalog: Store,
    response: Response,
) -> StaffProductView:
    """Replace what the menu says of a product."""
    async with refusing():
        changed = await edit_product(
            shop,
            product_id,
            lambda found: body.product(product_id=product_id, shop_id=shop, like=found),
            catalog=catalog,
            author=who.subject,
            version=version,
        )
    return _shown(changed, response)


@router.put("/{product_id}/availability")
async def switch(
    shop: KnownShop,
    product_id: NamedProduct,
    body: AvailabilityBody,
    who: Crew,
    *,
    catalog: Store,
    response: Response,
) -> StaffProductView:
    """Say that a product can be had, or not; for new orders at once."""
    async with refusing():
        changed = await edit_product(
            shop,
            product_id,
            lambda found: replace(found, is_available=body.is_available),
            catalog=catalog,
            author=who.subject,
        )
    return _shown(changed, response)


@router.delete("/{product_id}", responses=_EDIT)
async def retire(
    shop: KnownShop,
    product_id: NamedProduct,
    who: Manager,
    *,
    version: WantedVersion,
    catalog: Store,
    response: Response,
) -> StaffProductView:
    """Take a product off the menu; its history stays."""
    async with refusing():
        changed = await edit_product(
            shop,
            product_id,
            lambda found: replace(found, is_removed=True),
            catalog=catalog,
            author=who.subject,
            version=version,
        )
    return _shown(changed, response)


@router.post("/{product_id}/restore")
async def restore(
    shop: KnownShop,
    product_id: NamedProduct,
    who: Manager,
    *,
    catalog: Store,
    response: Response,
) -> StaffProductView:
    """Put a retired product back on the menu."""
    async with refusing():
        changed = await edit_product(
            shop,
            product_id,
            lambda found: replace(found, is_removed=False),
            catalog=catalog,
            author=who.subject,
        )
    return _shown(changed, response)


@router.put(
    "/{product_id}/picture",
    responses=problems(412, 413, 415, 428),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/jpeg": {}, "image/png": {}, "image/webp": {}},
        }
    },
)
async def show_picture(
    shop: KnownShop,
    product_id: NamedProduct,
    who: Manager,
    *,
    version: WantedVersion,
    catalog: Store,
    request: Request,
    response: Response,
) -> StaffProductView:
    """Give a product a picture: a JPEG, PNG or WebP file of at most 512 KiB."""
    content = await body_of(request, limit=LARGEST_PICTURE)
    async with refusing():
        found = picture_of(content, shop_id=shop)
        changed = await edit_product(
            shop,
            product_id,
            lambda product: replace(product, picture=found.digest),
            catalog=catalog,
            author=who.subject,
            version=version,
            picture=found,
        )
    return _shown(changed, response)


@router.get("/{product_id}/prices")
async def prices(
    shop: KnownShop, product_id: NamedProduct, _: Manager, *, reader: Reader
) -> PricesView:
    """Show what a product cost, newest first."""
    found = await answered(reader.prices(shop, product_id))
    if not found:
        raise Problem(404, "There is no such product")
    return PricesView(prices=[PriceView.of(price) for price in found])


def _shown(product: Product, response: Response) -> StaffProductView:
    response.headers.update(tagged(product.version))
    return StaffProductView.of(product)
