"""What people do to the stock: count a delivery in, or put right what the books say."""

from comanda.ids import ProductId
from workers.catalog.model import LARGEST_QUANTITY, Correction, Delivery
from workers.catalog.ports import Catalog, CatalogUnit


class StockUnknown(Exception):
    """The shop has no such product."""

    def __init__(self, product_id: ProductId) -> None:
        super().__init__(f"no such product: {product_id}")
        self.product_id = product_id


class ImpossibleQuantity(ValueError):
    """A delivery brings 1 to a million units; a correction changes at most that many."""


class KeyReused(Exception):
    """The same id named another quantity before."""


class CorrectionTooLarge(Exception):
    """More would be taken away than is left; what is held or sold cannot be."""

    def __init__(self, *, left: int) -> None:
        super().__init__(f"only {left} are left")
        self.left = left


async def receive_stock(delivery: Delivery, *, catalog: Catalog) -> bool:
    """Count a delivery into the stock, once; tell whether it was new.

    Raises `StockUnknown`, `ImpossibleQuantity` and `KeyReused`.
    """
    if not 1 <= delivery.quantity <= LARGEST_QUANTITY:
        raise ImpossibleQuantity(f"a delivery brings 1 to {LARGEST_QUANTITY}")
    async with catalog.begin() as unit:
        if await _is_counted(unit, delivery, quantity=delivery.quantity):
            return False
        return await unit.receive(delivery)


async def correct_stock(correction: Correction, *, catalog: Catalog) -> bool:
    """Put right what the books say, once; tell whether it was new.

    Raises `StockUnknown`, `ImpossibleQuantity`, `KeyReused` and `CorrectionTooLarge`.
    """
    if not 1 <= abs(correction.change) <= LARGEST_QUANTITY:
        raise ImpossibleQuantity(f"a correction changes 1 to {LARGEST_QUANTITY}, up or down")
    async with catalog.begin() as unit:
        if await _is_counted(unit, correction, quantity=correction.change):
            return False
        if await unit.correct(correction):
            return True
        offers = await unit.offers(correction.shop_id, [correction.product_id])
        raise CorrectionTooLarge(left=offers[correction.product_id].level.left)


async def _is_counted(unit: CatalogUnit, goods: Delivery | Correction, *, quantity: int) -> bool:
    if await unit.product(goods.shop_id, goods.product_id) is None:
        raise StockUnknown(goods.product_id)
    earlier = await unit.counted(goods)
    if earlier is not None and earlier != quantity:
        raise KeyReused(goods.id)
    return earlier is not None
