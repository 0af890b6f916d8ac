"""The story of one order: its events by time, with what order, charge and stock were by each.

The states follow from the events alone; nothing asks a context. What a context decided without
telling (a refused step, a case) is not in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from comanda.ids import ShopId
from workers.archive.model import Entry
from workers.archive.ports import Index

# A journey that many conversations touch is an attack or a bug; both are shown in part.
MOST_CONVERSATIONS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class States:
    """What is known of an order at an instant; `None` is "nothing yet"."""

    order: str | None = None
    charge: str | None = None
    stock: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One event of a journey, and how long after the one before."""

    entry: Entry
    before: States
    after: States
    waited: timedelta


# What each event makes of the three; a final state is left by none of them.
_MAKES: dict[str, dict[str, str]] = {
    "orders.order.placed.v1": {"order": "PENDING_PAYMENT"},
    "catalog.stock.reserved.v1": {"stock": "HELD"},
    "catalog.stock.rejected.v1": {"stock": "REJECTED"},
    "payments.charge.created.v1": {"charge": "WAITING"},
    "payments.charge.refused.v1": {"charge": "REFUSED", "stock": "RELEASED"},
    "payments.payment.approved.v1": {"charge": "PAID", "stock": "SOLD"},
    "payments.payment.failed.v1": {
        "order": "PAYMENT_FAILED",
        "charge": "FAILED",
        "stock": "RELEASED",
    },
    "payments.payment.refunded.v1": {"charge": "REFUNDED"},
    "payments.payment.held.v1": {"charge": "HELD"},
    "payments.payment.released.v1": {"charge": "PAID"},
    "orders.order.paid.v1": {"order": "RECEIVED"},
    "orders.order.started.v1": {"order": "IN_PREPARATION"},
    "orders.order.ready.v1": {"order": "READY"},
    "orders.order.completed.v1": {"order": "COMPLETED"},
    "orders.order.cancelled.v1": {"order": "CANCELLED", "stock": "RELEASED"},
}
_RECALLED = "orders.order.recalled.v1"
_FINAL = {
    "order": frozenset({"COMPLETED", "CANCELLED", "PAYMENT_FAILED"}),
    "charge": frozenset({"REFUNDED", "REFUSED"}),
    "stock": frozenset({"REJECTED", "RELEASED", "SOLD"}),
}


async def journey(
    index: Index, shop_id: ShopId, subject: str, *, as_of: datetime | None = None
) -> list[Step]:
    """Tell the story up to an instant; empty when nothing is known of the order.

    Events about other things belong to it when they are of the same conversations: the webhook that
    told of the payment names the payment, not the order.
    """
    own = await index.of_subject(shop_id, subject, until=as_of)
    found = {entry.event_id: entry for entry, _ in own}
    conversations = dict.fromkeys(entry.conversation for entry, _ in own)
    for conversation in list(conversations)[:MOST_CONVERSATIONS]:
        for entry, _ in await index.of_conversation(shop_id, conversation, until=as_of):
            found.setdefault(entry.event_id, entry)
    return tell(sorted(found.values(), key=lambda it: (it.at, it.event_id)))


def tell(entries: Sequence[Entry]) -> list[Step]:
    """Fold events, which are in order of time, into steps."""
    steps: list[Step] = []
    states = States()
    last = entries[0].at if entries else None
    for entry in entries:
        after = _after(states, entry)
        waited = entry.at - (last or entry.at)
        steps.append(Step(entry=entry, before=states, after=after, waited=waited))
        states, last = after, entry.at
    return steps


def _after(states: States, entry: Entry) -> States:
    if entry.wire_type == _RECALLED:
        return replace(states, order=str(entry.data["status"]))
    made = _MAKES.get(entry.wire_type, {})
    return replace(states, **dict(_allowed(states, made.items())))


def _allowed(states: States, made: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((name, to) for name, to in made if getattr(states, name) not in _FINAL[name])
