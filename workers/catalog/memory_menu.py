"""The menu and the shop's rules in memory, as a unit of work edits them."""

from datetime import datetime

from comanda.ids import ProductId, ShopId
from workers.catalog.memory_reader import State, in_menu_order
from workers.catalog.model import StockLevel
from workers.catalog.pictures import Picture
from workers.catalog.products import Price, Product
from workers.catalog.shop import ShopRules


class InMemoryMenuUnit:
    """The part of a unit of work that edits the menu."""

    def __init__(self, state: State, *, now: datetime) -> None:
        self._state = state
        self.now = now

    async def lock_menu(self, shop_id: ShopId) -> None:
        """Do nothing: units take turns anyway."""

    async def product(self, shop_id: ShopId, product_id: ProductId) -> Product | None:
        """Find a product."""
        return self._state.products.get((shop_id, product_id))

    async def products(self, shop_id: ShopId) -> list[Product]:
        """List all products of a shop."""
        return in_menu_order([p for p in self._state.products.values() if p.shop_id == shop_id])

    async def save_product(self, product: Product) -> None:
        """Keep a product; a new one has an empty stock."""
        key = (product.shop_id, product.id)
        self._state.products[key] = product
        self._state.levels.setdefault(key, StockLevel(product_id=product.id))

    async def record_price(self, product: Product, *, author: str) -> None:
        """Add to the price history what a product costs from now on."""
        key = (product.shop_id, product.id)
        price = Price(version=product.version, price=product.price, author=author, since=self.now)
        self._state.prices[key] = (*self._state.prices.get(key, ()), price)

    async def save_picture(self, picture: Picture) -> None:
        """Keep a picture."""
        self._state.pictures[picture.shop_id, picture.digest] = picture

    async def drop_picture(self, shop_id: ShopId, digest: str) -> None:
        """Forget a picture that no product of the shop shows."""
        shown = {p.picture for p in self._state.products.values() if p.shop_id == shop_id}
        if digest not in shown:
            self._state.pictures.pop((shop_id, digest), None)

    async def shop_rules(self, shop_id: ShopId) -> ShopRules:
        """Find what a shop decided."""
        return self._state.rules.get(shop_id, ShopRules(shop_id=shop_id))

    async def save_shop_rules(self, rules: ShopRules) -> None:
        """Keep what a shop decided."""
        self._state.rules[rules.shop_id] = rules
