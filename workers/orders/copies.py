"""What orders keeps of what others own: the menu, the shop's rules, and customers' addresses."""

from dataclasses import replace

from comanda.envelope import Envelope
from comanda.events import (
    CustomerErased,
    CustomerRegistered,
    ProductChanged,
    ProductRemoved,
    ShopChanged,
)
from comanda.ids import CustomerId, OrderId, ShopId
from comanda.money import ZERO
from workers.orders.facts import fact_of
from workers.orders.lines import MenuItem
from workers.orders.mail import Contact
from workers.orders.model import Order
from workers.orders.ports import Orders, OrdersUnit, Page
from workers.orders.shop_rules import ShopRules

FORGOTTEN = "erased"
_PAGE = 100


async def copy_product(message: Envelope, *, orders: Orders) -> None:
    """Keep what the menu says of a product now."""
    product = fact_of(message, ProductChanged)
    item = MenuItem(
        product_id=product.product_id,
        shop_id=product.shop_id,
        version=product.version,
        name=product.name,
        category=product.category,
        price=product.price,
        is_available=product.is_available,
        groups=product.option_groups,
        slots=product.slots,
    )
    async with orders.begin(message) as unit:
        await _keep_newer(unit, item)


async def drop_product(message: Envelope, *, orders: Orders) -> None:
    """Mark a product as removed; the mark stays, or late news would bring the product back."""
    removed = fact_of(message, ProductRemoved)
    async with orders.begin(message) as unit:
        found = await unit.menu_item(removed.shop_id, removed.product_id)
        item = MenuItem(
            product_id=removed.product_id,
            shop_id=removed.shop_id,
            version=removed.version,
            name=found.name if found else "",
            category=found.category if found else "",
            price=found.price if found else ZERO,
            is_available=False,
            is_removed=True,
        )
        await _keep_newer(unit, item)


async def copy_rules(message: Envelope, *, orders: Orders) -> None:
    """Keep when the shop takes orders, and how many at once."""
    shop = fact_of(message, ShopChanged)
    rules = ShopRules(
        shop_id=shop.shop_id,
        version=shop.version,
        hours=shop.hours,
        switch=shop.switch,
        most_in_flight=shop.most_in_flight,
        day_begins_at=shop.day_begins_at,
    )
    async with orders.begin(message) as unit:
        found = await unit.rules(shop.shop_id)
        if found.version < rules.version:
            unit.save_rules(rules)


async def note_contact(message: Envelope, *, orders: Orders) -> None:
    """Keep where a customer can be reached; what was told last counts, whatever comes last."""
    registered = fact_of(message, CustomerRegistered)
    contact = Contact(
        shop_id=registered.shop_id,
        customer_id=registered.customer_id,
        email=registered.email,
        told_at=message.time,
    )
    async with orders.begin(message) as unit:
        found = await unit.contact(contact.shop_id, contact.customer_id)
        if found is None or found.told_at <= contact.told_at:
            unit.save_contact(contact)


async def forget_customer(message: Envelope, *, orders: Orders) -> None:
    """Forget a customer's address, and take the person out of the orders (LGPD, art. 18, VI).

    The orders keep their totals. Each is a write of its own and may be done again, and the message
    counts as handled only after the last.
    """
    erased = fact_of(message, CustomerErased)
    shop_id, customer_id = erased.shop_id, erased.customer_id
    page = Page(limit=_PAGE)
    while found := await orders.of_owner(shop_id, customer_id, page=page):
        for order in found:
            await _forget(shop_id, order.id, customer_id=customer_id, orders=orders)
        page = Page(limit=_PAGE, after=found[-1].placed_position)
    # An erasure is announced twice, and the second time reaches what came late after the first.
    async with orders.begin() as unit:
        unit.forget_contact(shop_id, customer_id)
    async with orders.begin(message):
        pass


async def _forget(
    shop_id: ShopId, order_id: OrderId, *, customer_id: CustomerId, orders: Orders
) -> None:
    async with orders.begin() as unit:
        order = await unit.order(shop_id, order_id)
        if order is not None and order.owner == customer_id:
            unit.save(_without_person(order))


def _without_person(order: Order) -> Order:
    lines = tuple(replace(line, notes="") for line in order.lines)
    return replace(order, owner=FORGOTTEN, customer_id=None, name="", lines=lines)


async def _keep_newer(unit: OrdersUnit, item: MenuItem) -> None:
    found = await unit.menu_item(item.shop_id, item.product_id)
    if found is None or found.version < item.version:
        unit.save_menu_item(item)
