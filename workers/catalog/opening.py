"""What people do to their shop: set its hours and bounds, open and close it."""

from collections.abc import Callable
from dataclasses import replace

from comanda.events import ShopChanged
from comanda.ids import ShopId
from workers.catalog.managing import VersionMismatch
from workers.catalog.ports import Catalog
from workers.catalog.shop import ShopRules, check_rules

Decide = Callable[[ShopRules], ShopRules]


async def change_shop(
    shop_id: ShopId, decide: Decide, *, catalog: Catalog, version: int | None = None
) -> ShopRules:
    """Change what a shop decided, if it is of this version (or whatever it is, without one).

    Raises `VersionMismatch` and `InvalidHours`.
    """
    async with catalog.begin() as unit:
        found = await unit.shop_rules(shop_id)
        if version is not None and version != found.version:
            raise VersionMismatch(found.version)
        decided = decide(found)
        check_rules(decided)
        if not decided.differs_from(found):
            return found
        changed = replace(decided, version=found.version + 1)
        await unit.save_shop_rules(changed)
        unit.emit(_told(changed))
        return changed


def _told(rules: ShopRules) -> ShopChanged:
    return ShopChanged(
        shop_id=rules.shop_id,
        version=rules.version,
        hours=rules.hours,
        switch=rules.switch.value,
        most_in_flight=rules.most_in_flight,
        day_begins_at=rules.day_begins_at,
    )
