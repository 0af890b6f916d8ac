"""Rows of the catalog's tables to values and back."""

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from comanda.codec import decode, encode
from comanda.hours import OpeningHours, ShopSwitch
from comanda.ids import EventId, OrderId, ProductId, ReservationId, ShopId
from comanda.menu import Category, ComboSlot, OptionGroup
from comanda.money import Money
from workers.catalog.model import (
    MoveKind,
    RefusedTransition,
    Reservation,
    ReservationStatus,
    StockLevel,
    StockMove,
)
from workers.catalog.pictures import Picture
from workers.catalog.products import Price, Product
from workers.catalog.shop import ShopRules

Row = Mapping[str, Any]


def product_values(product: Product) -> dict[str, Any]:
    """Name the values of a product's row."""
    return {
        "shop_id": product.shop_id,
        "product_id": product.id,
        "version": product.version,
        "name": product.name,
        "category": product.category.value,
        "price": product.price.to_decimal(),
        "is_available": product.is_available,
        "is_removed": product.is_removed,
        "description": product.description,
        "position": product.position,
        "is_stocked": product.is_stocked,
        "option_groups": Jsonb([encode(group) for group in product.option_groups]),
        "slots": Jsonb([encode(slot) for slot in product.slots]),
        "picture": product.picture,
    }


def product_of(row: Row) -> Product:
    """Read a product."""
    return Product(
        id=ProductId(row["product_id"]),
        shop_id=ShopId(row["shop_id"]),
        version=row["version"],
        name=row["name"],
        category=Category(row["category"]),
        price=Money.from_decimal(row["price"]),
        is_available=row["is_available"],
        is_removed=row["is_removed"],
        description=row["description"],
        position=row["position"],
        is_stocked=row["is_stocked"],
        option_groups=tuple(decode(OptionGroup, group) for group in row["option_groups"]),
        slots=tuple(decode(ComboSlot, slot) for slot in row["slots"]),
        picture=row["picture"],
    )


def price_of(row: Row) -> Price:
    """Read a line of the price history."""
    return Price(
        version=row["version"],
        price=Money.from_decimal(row["price"]),
        author=row["author"],
        since=row["since"],
    )


def picture_of_row(row: Row) -> Picture:
    """Read a picture."""
    return Picture(
        shop_id=ShopId(row["shop_id"]),
        digest=row["digest"],
        media_type=row["media_type"],
        content=bytes(row["content"]),
    )


def rules_values(rules: ShopRules) -> dict[str, Any]:
    """Name the values of a shop's row."""
    return {
        "shop_id": rules.shop_id,
        "version": rules.version,
        "hours": Jsonb([encode(stretch) for stretch in rules.hours]),
        "switch": rules.switch.value,
        "most_in_flight": rules.most_in_flight,
        "day_begins_at": rules.day_begins_at,
    }


def rules_of(row: Row | None, *, shop_id: ShopId) -> ShopRules:
    """Read what a shop decided; without a row it decided nothing."""
    if row is None:
        return ShopRules(shop_id=shop_id)
    return ShopRules(
        shop_id=shop_id,
        version=row["version"],
        hours=tuple(decode(OpeningHours, stretch) for stretch in row["hours"]),
        switch=ShopSwitch(row["switch"]),
        most_in_flight=row["most_in_flight"],
        day_begins_at=row["day_begins_at"],
    )


def level_of(row: Row) -> StockLevel:
    """Read where the stock of a product is."""
    return StockLevel(
        product_id=ProductId(row["product_id"]),
        received=row["received"],
        held=row["held"],
        sold=row["sold"],
    )


def move_of(row: Row) -> StockMove:
    """Read a line of the stock ledger."""
    return StockMove(
        product_id=ProductId(row["product_id"]),
        kind=MoveKind(row["kind"]),
        quantity=row["quantity"],
        key=row["key"],
        at=row["at"],
        author=row["author"],
        reason=row["reason"],
        sequence=row["sequence"],
    )


def reservation_values(reservation: Reservation) -> dict[str, Any]:
    """Name the values of a reservation's row and of its lines."""
    return {
        "id": reservation.id,
        "shop_id": reservation.shop_id,
        "order_id": reservation.order_id,
        "status": reservation.status.value,
        "reason": reservation.reason,
        "product_ids": list(reservation.quantities),
        "quantities": list(reservation.quantities.values()),
    }


def reservation_of(row: Row) -> Reservation:
    """Read a reservation with its lines."""
    pairs = zip(row["product_ids"], row["quantities"], strict=True)
    return Reservation(
        id=ReservationId(row["reservation_id"]),
        shop_id=ShopId(row["shop_id"]),
        order_id=OrderId(row["order_id"]),
        status=ReservationStatus(row["status"]),
        reason=row["reason"],
        quantities={ProductId(product_id): quantity for product_id, quantity in pairs},
    )


def refusal_of(row: Row) -> RefusedTransition:
    """Read a step that was refused."""
    return RefusedTransition(
        event_id=EventId(row["event_id"]),
        event_type=row["event_type"],
        shop_id=ShopId(row["shop_id"]),
        order_id=OrderId(row["order_id"]),
        current=ReservationStatus(row["current"]) if row["current"] else None,
        asked=ReservationStatus(row["asked"]),
        at=row["at"],
    )
