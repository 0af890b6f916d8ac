"""How orders, claims and the menu look in DynamoDB: plain values to items and back.

`docs/access-patterns.md` lists the keys and who reads by them. An order on the board carries
`board_pk` and `board_sk`; one that is not has neither, so the `board` index holds what the kitchen
sees and nothing else.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from comanda.ids import (
    ChargeId,
    CustomerId,
    EventId,
    OrderId,
    ReservationId,
    ShopId,
)
from comanda.money import Money
from workers.orders.claims import Claim, ClaimKey
from workers.orders.instants import instant_of, instant_text
from workers.orders.line_items import line_item, line_of
from workers.orders.model import BOARD, Order, OrderStatus, Passage, Pix, Refusal, Service
from workers.orders.notices import Notice, NoticeKind

Key = dict[str, str]
Item = Mapping[str, Any]


def order_prefix(shop_id: ShopId) -> str:
    """Give what the partition keys of a shop's orders begin with."""
    return f"{shop_id}#ORDER#"


def order_key(shop_id: ShopId, order_id: OrderId) -> Key:
    """Give the key of an order."""
    return {"pk": f"{order_prefix(shop_id)}{order_id}", "sk": "ORDER"}


def board_partition(shop_id: ShopId) -> str:
    """Give the partition of a shop's board in the `board` index."""
    return f"{shop_id}#BOARD"


def day_partition(shop_id: ShopId, day: date) -> str:
    """Give the partition of a shop's day in the `days` index."""
    return f"{shop_id}#DAY#{day.isoformat()}"


def status_partition(shop_id: ShopId, day: date, status: OrderStatus) -> str:
    """Give the partition of one status of a shop's day in the `statuses` index."""
    return f"{day_partition(shop_id, day)}#{status}"


def owner_partition(shop_id: ShopId, owner: str) -> str:
    """Give the partition of a customer's orders in the `owners` index."""
    return f"{shop_id}#OWNER#{owner}"


def claim_prefix(shop_id: ShopId) -> str:
    """Give what the partition keys of a shop's claims begin with."""
    return f"{shop_id}#KEY#"


def claim_key(key: ClaimKey) -> Key:
    """Give the key of a claim; an owner's subject holds no `#`, so no two can collide."""
    return {"pk": f"{claim_prefix(key.shop_id)}{key.owner}#{key.key}", "sk": "KEY"}


def audited_key(shop_id: ShopId, partition: str) -> Key:
    """Give the key of the order or the claim that a partition holds."""
    is_order = partition.startswith(order_prefix(shop_id))
    return {"pk": partition, "sk": "ORDER" if is_order else "KEY"}


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
        "day": order.day.isoformat(),
        "service": order.service.value,
        "name": order.name,
        "lines": [line_item(line) for line in order.lines],
        "total_cents": order.total.cents,
        "placed_at": instant_text(order.placed_at),
        "status": order.status.value,
        "history": [_passage_item(passage) for passage in order.history],
        "reservation_id": order.reservation_id,
        "reason": order.reason,
        "paid_by": order.paid_by,
        "paid_at": instant_text(order.paid_at) if order.paid_at else None,
        "refunded_cents": order.refunded.cents,
        "held": order.held,
        "refusals": [_refusal_item(refusal) for refusal in order.refusals],
        "notices": [{"kind": n.kind.value, "at": instant_text(n.at)} for n in order.notices],
        "version": order.version,
        "day_pk": day_partition(order.shop_id, order.day),
        "status_pk": status_partition(order.shop_id, order.day, order.status),
        "day_sk": order.day_position,
        "owner_pk": owner_partition(order.shop_id, order.owner),
        "owner_sk": order.placed_position,
    }
    if order.pix is not None:
        item["pix"] = pix_item(order.pix)
    if order.status in BOARD:
        item["board_pk"] = board_partition(order.shop_id)
        rank = BOARD.index(order.status)
        item["board_sk"] = f"{rank}#{instant_text(order.placed_at)}#{order.id}"
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
        day=date.fromisoformat(item["day"]),
        service=Service(item["service"]),
        name=item["name"],
        lines=tuple(line_of(line) for line in item["lines"]),
        total=Money(int(item["total_cents"])),
        placed_at=instant_of(item["placed_at"]),
        status=OrderStatus(item["status"]),
        history=tuple(_passage_of(passage) for passage in item["history"]),
        reservation_id=ReservationId(reservation) if reservation else None,
        pix=_pix_of(pix) if pix else None,
        reason=item.get("reason"),
        paid_by=ChargeId(payer) if payer else None,
        paid_at=instant_of(item["paid_at"]) if "paid_at" in item else None,
        refunded=Money(int(item["refunded_cents"])),
        held=item.get("held"),
        refusals=tuple(_refusal_of(refusal) for refusal in item["refusals"]),
        notices=tuple(
            Notice(kind=NoticeKind(n["kind"]), at=instant_of(n["at"])) for n in item["notices"]
        ),
        version=int(item["version"]),
    )


def pix_item(pix: Pix) -> dict[str, Any]:
    """Write a Pix code down."""
    return {
        "charge_id": pix.charge_id,
        "code": pix.code,
        "expires_at": instant_text(pix.expires_at),
    }


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
        "leased_until": instant_text(claim.leased_until),
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
        leased_until=instant_of(item["leased_until"]),
        expires_at=datetime.fromtimestamp(int(item["expires_at"]), UTC),
        answer=item.get("answer"),
    )


def _passage_item(passage: Passage) -> dict[str, Any]:
    item = {"status": passage.status.value, "at": instant_text(passage.at)}
    marks = {"by": passage.by, "note": passage.note}
    return item | {name: mark for name, mark in marks.items() if mark}


def _passage_of(item: Item) -> Passage:
    status, at = OrderStatus(item["status"]), instant_of(item["at"])
    return Passage(status=status, at=at, by=item.get("by"), note=item.get("note"))


def _pix_of(item: Item) -> Pix:
    return Pix(
        charge_id=ChargeId(item["charge_id"]),
        code=item["code"],
        expires_at=instant_of(item["expires_at"]),
    )


def _refusal_item(refusal: Refusal) -> dict[str, Any]:
    return {
        "event_id": refusal.event_id,
        "event_type": refusal.event_type,
        "name": refusal.name,
        "detail": refusal.detail,
        "status": refusal.status.value,
        "at": instant_text(refusal.at),
    }


def _refusal_of(item: Item) -> Refusal:
    return Refusal(
        event_id=EventId(item["event_id"]),
        event_type=item["event_type"],
        name=item["name"],
        detail=item["detail"],
        status=OrderStatus(item["status"]),
        at=instant_of(item["at"]),
    )
