"""How lines, menus and the rules of a shop look in DynamoDB."""

from collections.abc import Mapping
from typing import Any

from comanda.codec import decode, encode
from comanda.events import Line
from comanda.hours import OpeningHours
from comanda.ids import ProductId, ShopId
from comanda.menu import ChosenOption, ComboSlot, OptionGroup
from comanda.money import Money
from workers.orders.lines import Menu, MenuItem
from workers.orders.shop_rules import ShopRules

Item = Mapping[str, Any]


def menu_partition(shop_id: ShopId) -> str:
    """Give the partition of a shop's menu and rules."""
    return f"{shop_id}#MENU"


def menu_key(shop_id: ShopId, product_id: ProductId) -> dict[str, str]:
    """Give the key of a product's copy; a shop's menu is one partition."""
    return {"pk": menu_partition(shop_id), "sk": f"PRODUCT#{product_id}"}


def rules_key(shop_id: ShopId) -> dict[str, str]:
    """Give the key of a shop's rules; they stand with its menu, so one read brings both."""
    return {"pk": menu_partition(shop_id), "sk": "RULES"}


def line_item(line: Line) -> dict[str, Any]:
    """Write a line down."""
    item: dict[str, Any] = {
        "product_id": line.product_id,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price_cents": line.unit_price.cents,
    }
    # Most lines have neither, and every byte is written with every step of an order.
    if line.options:
        item["options"] = [encode(option) for option in line.options]
    if line.notes:
        item["notes"] = line.notes
    return item


def line_of(item: Item) -> Line:
    """Read a line."""
    return Line(
        product_id=ProductId(item["product_id"]),
        name=item["name"],
        quantity=int(item["quantity"]),
        unit_price=Money(int(item["unit_price_cents"])),
        options=tuple(decode(ChosenOption, option) for option in item.get("options", ())),
        notes=item.get("notes", ""),
    )


def menu_item(product: MenuItem) -> dict[str, Any]:
    """Write our copy of a product down."""
    return {
        **menu_key(product.shop_id, product.product_id),
        "product_id": product.product_id,
        "shop_id": str(product.shop_id),
        "version": product.version,
        "name": product.name,
        "category": product.category,
        "price_cents": product.price.cents,
        "is_available": product.is_available,
        "is_removed": product.is_removed,
        "groups": [encode(group) for group in product.groups],
        "slots": [encode(slot) for slot in product.slots],
    }


def menu_item_of(item: Item) -> MenuItem:
    """Read our copy of a product."""
    return MenuItem(
        product_id=ProductId(item["product_id"]),
        shop_id=ShopId(item["shop_id"]),
        version=int(item["version"]),
        name=item["name"],
        category=item["category"],
        price=Money(int(item["price_cents"])),
        is_available=item["is_available"],
        is_removed=item["is_removed"],
        groups=tuple(decode(OptionGroup, _plain(group)) for group in item["groups"]),
        slots=tuple(decode(ComboSlot, _plain(slot)) for slot in item["slots"]),
    )


def rules_item(rules: ShopRules) -> dict[str, Any]:
    """Write the rules of a shop down."""
    return {
        **rules_key(rules.shop_id),
        "version": rules.version,
        "hours": [encode(hours) for hours in rules.hours],
        "switch": rules.switch,
        "most_in_flight": rules.most_in_flight,
        "day_begins_at": rules.day_begins_at,
    }


def rules_of(shop_id: ShopId, item: Item | None) -> ShopRules:
    """Read the rules of a shop, or those of one that said nothing yet."""
    if item is None:
        return ShopRules(shop_id=shop_id)
    most = item.get("most_in_flight")
    return ShopRules(
        shop_id=shop_id,
        version=int(item["version"]),
        hours=tuple(decode(OpeningHours, _plain(hours)) for hours in item["hours"]),
        switch=item["switch"],
        most_in_flight=None if most is None else int(most),
        day_begins_at=int(item["day_begins_at"]),
    )


def menu_of(shop_id: ShopId, items: list[dict[str, Any]]) -> Menu:
    """Read the partition of a shop's menu."""
    rules = next((item for item in items if item["sk"] == "RULES"), None)
    found = [menu_item_of(item) for item in items if item["sk"] != "RULES"]
    return Menu(rules=rules_of(shop_id, rules), items={i.product_id: i for i in found})


def _plain(item: Item) -> dict[str, Any]:
    # DynamoDB has one type of number, which boto3 gives as `Decimal`.
    return {
        k: int(v) if not isinstance(v, str | bool | list | dict) and v is not None else v
        for k, v in item.items()
    }
