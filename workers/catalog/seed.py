"""Give the laptop's shops a menu and a full store-room: `python -m workers.catalog.seed`.

It goes through the same handlers as everything else, so the products reach the copies of the menu
by the outbox. Run again, it changes nothing, not even what a shop has edited since.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from comanda.ids import ProductId, ShopId
from comanda.menu import Category
from comanda.money import Money
from comanda.settings import read
from workers.catalog.managing import put
from workers.catalog.model import Delivery
from workers.catalog.ports import Catalog
from workers.catalog.products import Product
from workers.catalog.repository import PostgresCatalog
from workers.runtime.aws import sns_publisher
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool

PLENTY = 1_000_000
SCARCE = 3
_DELIVERY = "seed"


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedSettings:
    """What the seed reads from its environment."""

    database_url: str
    topic_arn: str
    shops: tuple[ShopId, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dish:
    """One line of a menu as it is written here."""

    slug: str
    name: str
    category: Category
    price: str
    quantity: int = PLENTY
    is_available: bool = True


def _dish(slug: str, name: str, category: Category, price: str) -> Dish:
    return Dish(slug=slug, name=name, category=category, price=price)


_FAMILIAR = (
    _dish("agua-mineral", "Água mineral 500 ml", Category.DRINK, "5.00"),
    _dish("guarana", "Guaraná lata", Category.DRINK, "7.50"),
    _dish("pudim", "Pudim de leite", Category.DESSERT, "12.00"),
)
_SNACK_BAR = (
    _dish("x-salada", "X-Salada", Category.MEAL, "24.90"),
    _dish("x-tudo", "X-Tudo", Category.MEAL, "32.90"),
    _dish("misto-quente", "Misto quente", Category.MEAL, "14.50"),
    _dish("coxinha", "Coxinha de frango", Category.SIDE, "8.50"),
    _dish("batata-frita", "Batata frita", Category.SIDE, "18.00"),
    *_FAMILIAR,
    Dish(
        slug="torta-da-casa",
        name="Torta da casa (últimas fatias)",
        category=Category.DESSERT,
        price="16.00",
        quantity=SCARCE,
    ),
    Dish(
        slug="suco-de-caju",
        name="Suco de caju",
        category=Category.DRINK,
        price="11.00",
        is_available=False,
    ),
)
_CANTEEN = (
    _dish("feijoada", "Feijoada completa", Category.MEAL, "42.00"),
    _dish("lasanha", "Lasanha à bolonhesa", Category.MEAL, "36.50"),
    _dish("prato-feito", "Prato feito do dia", Category.MEAL, "27.90"),
    _dish("pao-de-alho", "Pão de alho", Category.SIDE, "9.90"),
    _dish("salada-verde", "Salada verde", Category.SIDE, "13.00"),
    *_FAMILIAR,
    Dish(
        slug="bacalhau",
        name="Bacalhau do chef (últimas porções)",
        category=Category.MEAL,
        price="68.00",
        quantity=SCARCE,
    ),
    Dish(
        slug="sorvete-de-creme",
        name="Sorvete de creme",
        category=Category.DESSERT,
        price="10.00",
        is_available=False,
    ),
)
_MENUS = {"cantina-do-beto": _CANTEEN}


def product_id(shop_id: ShopId, slug: str) -> ProductId:
    """Derive the id that a product of the seed has in every run."""
    return ProductId(str(uuid5(NAMESPACE_URL, f"comanda:{shop_id}/{slug}")))


def dishes_of(shop_id: ShopId) -> Sequence[Dish]:
    """Give a shop's menu; a shop without one of its own gets that of the snack bar."""
    return _MENUS.get(shop_id, _SNACK_BAR)


async def seed_shop(shop_id: ShopId, *, catalog: Catalog) -> None:
    """Put the menu of one shop in place and fill its store-room, once."""
    for position, dish in enumerate(dishes_of(shop_id)):
        product = Product(
            id=product_id(shop_id, dish.slug),
            shop_id=shop_id,
            version=1,
            name=dish.name,
            category=dish.category,
            price=Money.parse(dish.price),
            is_available=dish.is_available,
            position=position,
        )
        await _add(product, quantity=dish.quantity, catalog=catalog)


async def _add(product: Product, *, quantity: int, catalog: Catalog) -> None:
    async with catalog.begin() as unit:
        await unit.lock_menu(product.shop_id)
        # The shop may have edited or retired it, or given its name to another.
        others = await unit.products(product.shop_id)
        if any(o.id == product.id or o.name_key == product.name_key for o in others):
            return
        await put(unit, product, others=others, author=_DELIVERY)
        await unit.receive(
            Delivery(
                id=_DELIVERY,
                shop_id=product.shop_id,
                product_id=product.id,
                quantity=quantity,
                author=_DELIVERY,
            )
        )


async def main() -> None:
    """Seed every shop of the environment."""
    settings = read(SeedSettings)
    async with (
        sns_publisher(settings.topic_arn) as publisher,
        postgres_pool(settings.database_url, size=4) as pool,
    ):
        units = PostgresUnits(pool, publisher=publisher, clock=lambda: datetime.now(UTC))
        catalog = PostgresCatalog(units)
        for shop_id in settings.shops:
            await seed_shop(shop_id, catalog=catalog)
        await units.drain()


if __name__ == "__main__":
    asyncio.run(main())
