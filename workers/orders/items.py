"""How orders, claims and the menu look in DynamoDB: plain values to items and back.

Every key begins with the shop. An order on the board carries `board_pk` and `board_sk`; one that
is not has neither, so the `board` index holds what the kitchen sees and nothing else.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from comanda.events import Line
from comanda.ids import (
    ChargeId,
    CustomerId,
    EventId,
    OrderId,
    ProductId,
    ReservationId,
    ShopId,
)
from comanda.money import Money
from workers.orders.claims import Claim, ClaimKey
from workers.orders.lines import MenuItem
from workers.orders.model import BOARD, Order, OrderStatus, Passage, Pix, Refusal

Key = dict[str, str]
Item = Mapping[str, Any]


def order_prefix(shop_id: ShopId) -> str:
    """Give what the partition keys of a shop's orders begin with."""
    return f"{shop_id}#ORDER#"


def order_key(shop_id: ShopId, order_id: OrderId) -> Key:
    """Give the key of an order."""
    return {"pk": f"{order_prefix(shop_id)}{order_id}", "sk": "ORDER"}


def menu_key(shop_id: ShopId, product_id: ProductId) -> Key:
    """Give the key of a product's copy; a shop's menu is one partition."""
    return {"pk": menu_partition(shop_id), "sk": f"PRODUCT#{product_id}"}


def menu_partition(shop_id: ShopId) -> str:
    """Give the partition of a shop's menu."""
    return f"{shop_id}#MENU"


def board_partition(shop_id: ShopId) -> str:
    """Give the partition of a shop's board in the `board` index."""
    return f"{shop_id}#BOARD"


def claim_prefix(shop_id: ShopId) -> str:
    """Give what the partition keys of a shop's claims begin with."""
    return f"{shop_id}#KEY#"


def claim_key(key: ClaimKey) -> Key:
    """Give the key of a claim; an owner's subject holds no `#`, so no two can collide."""
    return {"pk": f"{claim_prefix(key.shop_id)}{key.owner}#{key.key}", "sk": "KEY"}


def number_key(shop_id: ShopId, day: date) -> Key:
    """Give the key of the counter of a shop's day."""
    return {"pk": f"{shop_id}#CALLS#{day.isoformat()}", "sk": "CALLS"}


def order_item(order: Order) -> dict[str, Any]:
    """Write an order down."""
    item: dict[str, Any] = {
        **order_key(order.shop_id, order.id),
        "id": order.id,
        "shop_id": str(order.shop_id),
        "owner": order.owner,
        "customer_id": order.customer_id,
        "call_number": order.call_number,
        "lines": [_line_item(line) for line in order.lines],
        "total_cents": order.total.cents,
        "placed_at": _text(order.placed_at),
        "status": order.status.value,
        "history": [{"status": p.status.value, "at": _text(p.at)} for p in order.history],
        "reservation_id": order.reservation_id,
        "reason": order.reason,
        "paid_by": order.paid_by,
        "paid_at": _text(order.paid_at) if order.paid_at else None,
        "refunded_cents": order.refunded.cents,
        "held": order.held,
        "refusals": [_refusal_item(refusal) for refusal in order.refusals],
        "version": order.version,
    }
    if order.pix is not None:
        item["pix"] = {
            "charge_id": order.pix.charge_id,
            "code": order.pix.code,
            "expires_at": _text(order.pix.expires_at),
        }
    if order.status in BOARD:
        item["board_pk"] = board_partition(order.shop_id)
        rank = BOARD.index(order.status)
        item["board_sk"] = f"{rank}#{_text(order.placed_at)}#{order.id}"
    return item


def order_of(item: Item) -> Order:
    """Read an order."""
    pix, customer, payer = item.get("pix"), item.get("customer_id"), item.get("paid_by")
    reservation = item.get("reservation_id")
    return Order(
        id=OrderId(item["id"]),
        shop_id=ShopId(item["shop_id"]),
        owner=item["owner"],
        customer_id=CustomerId(customer) if customer else None,
        call_number=int(item["call_number"]),
        lines=tuple(_line_of(line) for line in item["lines"]),
        total=Money(int(item["total_cents"])),
        placed_at=_instant(item["placed_at"]),
        status=OrderStatus(item["status"]),
        history=tuple(
            Passage(status=OrderStatus(p["status"]), at=_instant(p["at"])) for p in item["history"]
        ),
        reservation_id=ReservationId(reservation) if reservation else None,
        pix=_pix_of(pix) if pix else None,
        reason=item.get("reason"),
        paid_by=ChargeId(payer) if payer else None,
        paid_at=_instant(item["paid_at"]) if "paid_at" in item else None,
        refunded=Money(int(item["refunded_cents"])),
        held=item.get("held"),
        refusals=tuple(_refusal_of(refusal) for refusal in item["refusals"]),
        version=int(item["version"]),
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
    )


def claim_item(claim: Claim) -> dict[str, Any]:
    """Write a claim down; `expires_at` is the table's time to live."""
    return {
        **claim_key(claim.key),
        "shop_id": str(claim.key.shop_id),
        "owner": claim.key.owner,
        "key": claim.key.key,
        "fingerprint": claim.fingerprint,
        "order_id": claim.order_id,
        "holder": claim.holder,
        "leased_until": _text(claim.leased_until),
        "expires_at": int(claim.expires_at.timestamp()),
        "answer": claim.answer,
    }


def claim_of(item: Item) -> Claim:
    """Read a claim."""
    return Claim(
        key=ClaimKey(shop_id=ShopId(item["shop_id"]), owner=item["owner"], key=item["key"]),
        fingerprint=item["fingerprint"],
        order_id=OrderId(item["order_id"]),
        holder=item["holder"],
        leased_until=_instant(item["leased_until"]),
        expires_at=datetime.fromtimestamp(int(item["expires_at"]), UTC),
        answer=item.get("answer"),
    )


def _line_item(line: Line) -> dict[str, Any]:
    return {
        "product_id": line.product_id,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price_cents": line.unit_price.cents,
    }


def _line_of(item: Item) -> Line:
    return Line(
        product_id=ProductId(item["product_id"]),
        name=item["name"],
        quantity=int(item["quantity"]),
        unit_price=Money(int(item["unit_price_cents"])),
    )


def _pix_of(item: Item) -> Pix:
    return Pix(
        charge_id=ChargeId(item["charge_id"]),
        code=item["code"],
        expires_at=_instant(item["expires_at"]),
    )


def _refusal_item(refusal: Refusal) -> dict[str, Any]:
    return {
        "event_id": refusal.event_id,
        "event_type": refusal.event_type,
        "name": refusal.name,
        "detail": refusal.detail,
        "status": refusal.status.value,
        "at": _text(refusal.at),
    }


def _refusal_of(item: Item) -> Refusal:
    return Refusal(
        event_id=EventId(item["event_id"]),
        event_type=item["event_type"],
        name=item["name"],
        detail=item["detail"],
        status=OrderStatus(item["status"]),
        at=_instant(item["at"]),
    )


def _text(at: datetime) -> str:
    # One width for all, so that texts sort as instants do.
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
