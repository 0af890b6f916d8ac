"""What people do to a menu: put a product on it, edit it, take it off and bring it back.

Edits of one shop's menu take turns, so names stay unique and combos whole. Each leaves as an event
with a version, by which copies of the menu tell newer from older.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from comanda.events import ProductChanged, ProductRemoved
from comanda.ids import ProductId, ShopId
from workers.catalog.pictures import Picture
from workers.catalog.ports import Catalog, CatalogUnit
from workers.catalog.products import MOST_PRODUCTS, Product, check, check_parts

Edit = Callable[[Product], Product]


class ProductUnknown(Exception):
    """The shop has no such product."""


class NameTaken(Exception):
    """Another product of the menu has this name, accents and case aside."""


class MenuFull(Exception):
    """The shop has as many products as a menu can hold, retired ones included."""


class VersionMismatch(Exception):
    """Somebody else changed it first; `current` is what it says now."""

    def __init__(self, current: int) -> None:
        super().__init__(f"the version is {current}")
        self.current = current


async def create_product(product: Product, *, catalog: Catalog, author: str) -> Product:
    """Put a new product on the menu.

    Raises `InvalidProduct`, `NameTaken` and `MenuFull`.
    """
    async with catalog.begin() as unit:
        await unit.lock_menu(product.shop_id)
        others = await unit.products(product.shop_id)
        return await put(unit, replace(product, version=0), others=others, author=author)


async def edit_product(
    shop_id: ShopId,
    product_id: ProductId,
    edit: Edit,
    *,
    catalog: Catalog,
    author: str,
    version: int | None = None,
    picture: Picture | None = None,
) -> Product:
    """Change a product, if it is of this version (or whatever it is, without one).

    Raises `ProductUnknown`, `VersionMismatch`, `InvalidProduct` and `NameTaken`.
    """
    async with catalog.begin() as unit:
        await unit.lock_menu(shop_id)
        found = await unit.product(shop_id, product_id)
        if found is None:
            raise ProductUnknown
        if version is not None and version != found.version:
            raise VersionMismatch(found.version)
        if picture is not None:
            await unit.save_picture(picture)
        others = await unit.products(shop_id)
        changed = await put(unit, edit(found), found=found, others=others, author=author)
        if found.picture and found.picture != changed.picture:
            await unit.drop_picture(shop_id, found.picture)
        return changed


async def put(
    unit: CatalogUnit,
    product: Product,
    *,
    found: Product | None = None,
    others: Sequence[Product],
    author: str,
) -> Product:
    """Check a product among the others of its menu, which must be locked, and keep it."""
    # Whoever takes a dish off must not first mend what an older rule let through.
    is_same_dish = found is not None and product.says_the_same_as(found)
    if not is_same_dish:
        check(product)
    if not product.is_removed and (not is_same_dish or (found and found.is_removed)):
        _check_among(product, others=others, is_new=found is None)
    return await keep(unit, product, found=found, author=author)


async def keep(
    unit: CatalogUnit, product: Product, *, found: Product | None, author: str
) -> Product:
    """Save a product that was checked, if it differs from what was found, and say so."""
    if found is not None and not product.differs_from(found):
        return found
    changed = replace(product, version=found.version + 1 if found else 1)
    await unit.save_product(changed)
    if found is None or found.price != changed.price:
        await unit.record_price(changed, author=author)
    unit.emit(_removed(changed) if changed.is_removed else changed_event(changed))
    return changed


def changed_event(product: Product) -> ProductChanged:
    """Tell the world what the menu says of a product now."""
    return ProductChanged(
        shop_id=product.shop_id,
        product_id=product.id,
        version=product.version,
        name=product.name,
        category=product.category.value,
        price=product.price,
        is_available=product.is_available,
        description=product.description,
        option_groups=product.option_groups,
        slots=product.slots,
        picture_url=product.picture_url,
        position=product.position,
    )


def _removed(product: Product) -> ProductRemoved:
    return ProductRemoved(shop_id=product.shop_id, product_id=product.id, version=product.version)


def _check_among(product: Product, *, others: Sequence[Product], is_new: bool) -> None:
    rest = {other.id: other for other in others if other.id != product.id}
    if is_new and len(rest) >= MOST_PRODUCTS:
        raise MenuFull
    if any(o.name_key == product.name_key and not o.is_removed for o in rest.values()):
        raise NameTaken
    check_parts(product, others=rest)
