"""Builders of the catalog's tests: short ways to say an order, a product, a store with a menu."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Protocol
from uuid import UUID

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import (
    ChargeRefused,
    Event,
    Line,
    OrderCancelled,
    OrderPlaced,
    PaymentApproved,
    PaymentFailed,
)
from comanda.ids import ChargeId, OrderId, ProductId, ShopId
from comanda.menu import Category, ComboSlot, Option, OptionGroup
from comanda.messaging.memory import InMemoryPublisher
from comanda.money import ZERO, Money
from workers.catalog.handlers import HANDLERS
from workers.catalog.managing import edit_product, put
from workers.catalog.memory import InMemoryCatalog
from workers.catalog.model import Delivery, StockLevel
from workers.catalog.ports import Catalog, CatalogReader
from workers.catalog.products import Product
from workers.catalog.reader import PostgresCatalogReader
from workers.catalog.repository import PostgresCatalog
from workers.catalog.storeroom import receive_stock
from workers.runtime.errors import AlreadyHandled
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SHOP = ShopId("lanchonete-da-ana")
OTHER_SHOP = ShopId("cantina-do-beto")
CHARGE = ChargeId("charge-1")
_orders = count(1)


class Published(Protocol):
    published: list[Envelope]


class Store:
    """A catalog to work in, to look at, and whose topic can be read."""

    def __init__(self, catalog: Catalog, *, reader: CatalogReader, topic: Published) -> None:
        self.catalog = catalog
        self.reader = reader
        self._topic = topic

    async def deliver(self, event: Event, *, message: Envelope | None = None) -> Envelope:
        """Handle an event as the worker does; a message that was handled before is a success."""
        message = message or seal(event, now=NOW)
        with suppress(AlreadyHandled):
            await HANDLERS[type(event)](message, catalog=self.catalog)
        return message

    async def stock(self, product: Product, *, quantity: int) -> Product:
        """Put a product on the menu with so much in the store-room."""
        saved = await change_product(product, catalog=self.catalog)
        delivery = Delivery(
            id="first", shop_id=product.shop_id, product_id=product.id, quantity=quantity
        )
        await receive_stock(delivery, catalog=self.catalog)
        return saved

    async def level(self, product: Product) -> StockLevel:
        """Read the stock of one product."""
        levels = await self.reader.levels(product.shop_id)
        return next(level for level in levels if level.product_id == product.id)

    async def sent(self, kind: type[Event]) -> list[Event]:
        """List what went out of one type, in order."""
        drain = getattr(self.catalog, "drain", None)
        if drain is not None:
            await drain()
        return [e.event for e in self._topic.published if type(e.event) is kind]


class DrainingCatalog(PostgresCatalog):
    """The real catalog that lets a test wait for its relay."""

    def __init__(self, units: PostgresUnits) -> None:
        super().__init__(units)
        self.drain = units.drain


async def change_product(product: Product, *, catalog: Catalog) -> Product:
    """Put a product on the menu or change it, whatever it was."""
    async with catalog.begin() as unit:
        await unit.lock_menu(product.shop_id)
        found = await unit.product(product.shop_id, product.id)
        others = await unit.products(product.shop_id)
        return await put(unit, product, found=found, others=others, author="ana")


@asynccontextmanager
async def postgres_store(dsn: str, *, size: int = 4) -> AsyncIterator[Store]:
    """Open the real store on an empty, migrated database."""
    publisher = InMemoryPublisher()
    async with postgres_pool(dsn, size=size) as pool:
        async with pool.connection() as connection:
            await connection.execute(
                "TRUNCATE inbox, outbox, products, stock, deliveries, reservations,"
                " reservation_lines, refused_transitions, stock_ledger, prices, pictures, shops"
            )
        units = PostgresUnits(pool, publisher=publisher, clock=lambda: NOW)
        yield Store(DrainingCatalog(units), reader=PostgresCatalogReader(pool), topic=publisher)
        await units.drain()


@asynccontextmanager
async def opened_store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """Open the store that a parameter names; the real one is on the module's `dsn`."""
    if request.param == "memory":
        catalog = InMemoryCatalog(clock=lambda: NOW)
        yield Store(catalog, reader=catalog, topic=catalog)
        return
    async with postgres_store(request.getfixturevalue("dsn")) as store:
        yield store


def product(slug: str = "x-salada", *, shop_id: ShopId = SHOP, price: str = "24.90") -> Product:
    return Product(
        id=ProductId(f"product-{slug}"),
        shop_id=shop_id,
        version=1,
        name=slug.title(),
        category=Category.MEAL,
        price=Money.parse(price),
        is_available=True,
    )


def new_order() -> OrderId:
    return OrderId(str(UUID(int=next(_orders))))


def line(of: Product, quantity: int = 1) -> Line:
    return Line(product_id=of.id, name=of.name, quantity=quantity, unit_price=of.price)


def placed(*lines: Line, order_id: OrderId | None = None, shop_id: ShopId = SHOP) -> OrderPlaced:
    return OrderPlaced(
        shop_id=shop_id,
        order_id=order_id or new_order(),
        customer_id=None,
        lines=lines,
        total=sum((each.unit_price * each.quantity for each in lines), ZERO),
    )


def approved(order: OrderPlaced) -> PaymentApproved:
    return PaymentApproved(
        shop_id=order.shop_id,
        order_id=order.order_id,
        charge_id=CHARGE,
        amount=order.total,
        approved_at=NOW,
    )


def failed(order: OrderPlaced) -> PaymentFailed:
    return PaymentFailed(
        shop_id=order.shop_id, order_id=order.order_id, charge_id=CHARGE, reason="expired"
    )


def refused(order: OrderPlaced) -> ChargeRefused:
    return ChargeRefused(
        shop_id=order.shop_id, order_id=order.order_id, charge_id=CHARGE, reason="limits"
    )


def cancelled(order: OrderPlaced) -> OrderCancelled:
    return OrderCancelled(shop_id=order.shop_id, order_id=order.order_id, reason="customer")


EXTRAS = OptionGroup(
    id="extras",
    name="Adicionais",
    is_required=False,
    minimum=0,
    maximum=2,
    options=(
        Option(id="bacon", name="Bacon", price=Money.parse("4.50")),
        Option(id="ovo", name="Ovo", price=Money.parse("3.00")),
    ),
)


def slot_of(*parts: Product, slot_id: str = "bebida") -> ComboSlot:
    ids = tuple(part.id for part in parts)
    return ComboSlot(id=slot_id, name="Bebida", is_required=True, product_ids=ids)


async def edited(store: Store, of: Product, **values: object) -> Product:
    """Edit these fields as its owner would."""
    return await edit_product(
        of.shop_id,
        of.id,
        lambda found: replace(found, **values),  # type: ignore[arg-type]
        catalog=store.catalog,
        author="ana",
    )
