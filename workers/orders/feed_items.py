"""How the feed, its readers, the totals and owed mail look in DynamoDB."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from comanda.ids import CustomerId, OrderId, ShopId
from comanda.money import Money
from workers.orders.feed import KEPT, EntryKind, FeedEntry, Totals, TotalsAt
from workers.orders.instants import instant_of, instant_text
from workers.orders.mail import MAIL_KEPT, Contact, Mail
from workers.orders.notices import NoticeKind
from workers.orders.steps import OrderStatus

Item = Mapping[str, Any]
Key = dict[str, str]
MAIL_PARTITION = "MAIL"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def feed_partition(shop_id: ShopId) -> str:
    """Give the partition of a shop's feed."""
    return f"{shop_id}#FEED"


def reader_key(shop_id: ShopId, reader: str) -> Key:
    """Give the key of what a reader of the feed acknowledged."""
    return {"pk": f"{shop_id}#READERS", "sk": f"READER#{reader}"}


def totals_key(shop_id: ShopId) -> Key:
    """Give the key of a shop's totals."""
    return {"pk": f"{shop_id}#TOTALS", "sk": "TOTALS"}


def contact_key(shop_id: ShopId, customer_id: CustomerId) -> Key:
    """Give the key of a customer's address."""
    return {"pk": f"{shop_id}#CUSTOMER#{customer_id}", "sk": "CONTACT"}


def mail_key(mail: Mail) -> Key:
    """Give the key of an owed mail; all that is owed is one partition, and is soon gone."""
    return {"pk": MAIL_PARTITION, "sk": mail.position}


def entry_item(entry: FeedEntry) -> dict[str, Any]:
    """Write an entry of the feed down."""
    return {
        "pk": feed_partition(entry.shop_id),
        "sk": entry.position,
        "shop_id": str(entry.shop_id),
        "order_id": entry.order_id,
        "call_number": entry.call_number,
        "kind": entry.kind.value,
        "before": entry.before.value if entry.before else None,
        "after": entry.after.value,
        "total_cents": entry.total.cents,
        "at": instant_text(entry.at),
        "version": entry.version,
        "cooked_seconds": entry.cooked_seconds,
        "expires_at": int((entry.at + KEPT).timestamp()),
    }


def entry_of(item: Item) -> FeedEntry:
    """Read an entry of the feed."""
    before, cooked = item.get("before"), item.get("cooked_seconds")
    return FeedEntry(
        shop_id=ShopId(item["shop_id"]),
        order_id=OrderId(item["order_id"]),
        call_number=int(item["call_number"]),
        kind=EntryKind(item["kind"]),
        before=OrderStatus(before) if before else None,
        after=OrderStatus(item["after"]),
        total=Money(int(item["total_cents"])),
        at=instant_of(item["at"]),
        version=int(item["version"]),
        cooked_seconds=None if cooked is None else int(cooked),
    )


def totals_item(shop_id: ShopId, found: TotalsAt) -> dict[str, Any]:
    """Write totals down."""
    return {
        **totals_key(shop_id),
        "by_status": {status.value: count for status, count in found.totals.by_status.items()},
        "paid_cents": found.totals.paid_cents,
        "refused_transitions": found.totals.refused_transitions,
        "position": found.position,
    }


def totals_of(item: Item | None) -> TotalsAt:
    """Read totals, or give those of a shop without orders."""
    if item is None:
        return TotalsAt(totals=Totals())
    totals = Totals(
        by_status={OrderStatus(name): int(count) for name, count in item["by_status"].items()},
        paid_cents=int(item["paid_cents"]),
        refused_transitions=int(item["refused_transitions"]),
    )
    return TotalsAt(totals=totals, position=item["position"])


def mail_item(mail: Mail) -> dict[str, Any]:
    """Write an owed mail down."""
    return {
        **mail_key(mail),
        "shop_id": str(mail.shop_id),
        "order_id": mail.order_id,
        "customer_id": mail.customer_id,
        "kind": mail.kind.value,
        "call_number": mail.call_number,
        "amount_cents": mail.amount.cents,
        "at": instant_text(mail.at),
        # Where no sender is set nobody takes the mail away.
        "expires_at": int((mail.at + MAIL_KEPT).timestamp()),
    }


def mail_of(item: Item) -> Mail:
    """Read an owed mail."""
    return Mail(
        shop_id=ShopId(item["shop_id"]),
        order_id=OrderId(item["order_id"]),
        customer_id=CustomerId(item["customer_id"]),
        kind=NoticeKind(item["kind"]),
        call_number=int(item["call_number"]),
        amount=Money(int(item["amount_cents"])),
        at=instant_of(item["at"]),
    )


def contact_item(contact: Contact) -> dict[str, Any]:
    """Write a customer's address down."""
    key = contact_key(contact.shop_id, contact.customer_id)
    return {**key, "email": contact.email, "told_at": instant_text(contact.told_at)}


def contact_of(item: Item, shop_id: ShopId, customer_id: CustomerId) -> Contact:
    """Read a customer's address; one of an older release was told at no known time."""
    return Contact(
        shop_id=shop_id,
        customer_id=customer_id,
        email=item["email"],
        told_at=instant_of(item["told_at"]) if "told_at" in item else _LONG_AGO,
    )
