"""A sheet arrives; all of its rows become the menu, or none does and each fault is named."""

from dataclasses import dataclass

from comanda.ids import ShopId
from workers.catalog.managing import keep
from workers.catalog.model import Delivery
from workers.catalog.ports import Catalog, CatalogUnit
from workers.catalog.sheet import Entry, Fault, Plan, planned


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How many products a sheet adds, changes and leaves, and what is wrong with it."""

    added: int
    changed: int
    unchanged: int
    faults: tuple[Fault, ...]


async def import_sheet(
    text: str, *, shop_id: ShopId, catalog: Catalog, author: str, is_dry_run: bool
) -> Outcome:
    """Carry out a sheet if it has no fault and this is no dry run; tell what it does."""
    async with catalog.begin() as unit:
        await unit.lock_menu(shop_id)
        products = await unit.products(shop_id)
        plan = planned(text, shop_id=shop_id, products=products, now=unit.now)
        if not plan.faults and not is_dry_run:
            for entry in plan.entries:
                await _carry_out(unit, entry, author=author)
        return _outcome(plan)


async def _carry_out(unit: CatalogUnit, entry: Entry, *, author: str) -> None:
    # The plan checked the whole menu as it will be, so two products can even trade names.
    await keep(unit, entry.product, found=entry.found, author=author)
    if entry.initial_stock:
        await unit.receive(
            Delivery(
                id="import",
                shop_id=entry.product.shop_id,
                product_id=entry.product.id,
                quantity=entry.initial_stock,
                author=author,
            )
        )


def _outcome(plan: Plan) -> Outcome:
    added = sum(entry.found is None for entry in plan.entries)
    same = sum(entry.is_unchanged for entry in plan.entries)
    return Outcome(
        added=added,
        changed=len(plan.entries) - added - same,
        unchanged=same,
        faults=tuple(sorted(plan.faults, key=lambda fault: (fault.row, fault.field))),
    )
