"""What one order asks of every service: events, deliveries, writes, calls.

Events and their hearers are those of topology.json, the writes those of docs/access-patterns.md,
the sizes those of items as `benchmarks.orders` fills them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from comanda.settings import topology
from workers.runtime.dynamodb import OUTBOX_SHARDS

# A paid order that is cooked and handed over; the provider tells of the creation and the payment.
EVENTS: Mapping[str, int] = {
    "orders.order.placed.v1": 1,
    "catalog.stock.reserved.v1": 1,
    "payments.charge.created.v1": 1,
    "webhooks.notification.received.v1": 2,
    "payments.payment.approved.v1": 1,
    "orders.order.paid.v1": 1,
    "orders.order.started.v1": 1,
    "orders.order.ready.v1": 1,
    "orders.order.completed.v1": 1,
}
# Calls at the door, and what of them ends in a Lambda.
AUTH_CALLS, WEBHOOK_CALLS, POD_CALLS = 1, EVENTS["webhooks.notification.received.v1"], 8
# A customer who gave an address and consented is told that it is paid, and that it is ready.
KNOWN_CUSTOMERS, MAILS = 0.3, 2
# One creation and one fetch for each notification.
PROVIDER_CALLS = 1 + WEBHOOK_CALLS
# A charge is made in two commits around a call; all else is one for each message.
EXTRA_COMMITS = 1
# Boards, histories and looks at an order; terraform/cost.py has the same estimate.
READ_UNITS = 45
_ORDER_BYTES, _SMALL, _EVENT_BYTES = 1_350, 700, 1_200


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """Writes of one item: `kept` indexes get it anew, in `moved` ones its key changes.

    A moved key is a deletion and a put. A transaction counts twice, its indexes once.
    """

    what: str
    times: float
    size: int
    is_transacted: bool = False
    kept: float = 0
    moved: float = 0

    @property
    def units(self) -> float:
        """Give the write units of all times."""
        each = math.ceil(self.size / 1024)
        base = each * (2 if self.is_transacted else 1)
        return self.times * (base + each * (self.kept + 2 * self.moved))


WRITES = (
    Write(what="order: placed", times=1, size=_ORDER_BYTES, is_transacted=True, kept=3),
    Write(what="order: stock, code", times=2, size=_ORDER_BYTES, is_transacted=True, kept=3),
    # The status is in a key of `statuses`, and the board takes it up, moves it twice, lets it go.
    Write(
        what="order: paid and three steps",
        times=4,
        size=_ORDER_BYTES,
        is_transacted=True,
        kept=2.5,
        moved=1.5,
    ),
    Write(what="idempotency key: claimed", times=1, size=_SMALL),
    Write(what="idempotency key: answered", times=1, size=_ORDER_BYTES, is_transacted=True),
    Write(what="call number", times=1, size=_SMALL),
    Write(what="feed", times=5, size=_SMALL, is_transacted=True),
    Write(what="inbox", times=3, size=_SMALL, is_transacted=True),
    Write(what="outbox: saved", times=5, size=_EVENT_BYTES, is_transacted=True, kept=1),
    Write(what="outbox: published", times=5, size=_EVENT_BYTES, kept=1),
    Write(what="mail: owed", times=KNOWN_CUSTOMERS * MAILS, size=_SMALL, is_transacted=True),
    Write(what="mail: taken, sent", times=2 * KNOWN_CUSTOMERS * MAILS, size=_SMALL),
)


def publishes() -> int:
    """Count the messages published for one order."""
    return sum(EVENTS.values())


def deliveries(context: str | None = None) -> int:
    """Count the messages that one order puts on a context's queue, or on all queues."""
    contexts = topology()["contexts"]
    names = [context] if context else list(contexts)
    heard = [set(contexts[name].get("subscribes", ())) for name in names]
    return sum(times for kind, times in EVENTS.items() for kinds in heard if kind in kinds)


def write_units() -> float:
    """Add up the write units of one order."""
    return sum(write.units for write in WRITES)


def shop_partition_units() -> float:
    """Give the write units of one order in the busiest partition of its shop's day.

    That is the index `days`: every write of an order writes it anew there.
    """
    return 7 * math.ceil(_ORDER_BYTES / 1024)


def outbox_shard_units() -> float:
    """Give the write units of one order in one shard of the index `outbox`."""
    own = sum(EVENTS[kind] for kind in EVENTS if kind.startswith("orders."))
    return 2 * own * math.ceil(_EVENT_BYTES / 1024) / OUTBOX_SHARDS


def mail_units() -> float:
    """Give the write units of one order in the one partition of mails."""
    return sum(write.units for write in WRITES if write.what.startswith("mail"))


def commits() -> int:
    """Count PostgreSQL's commits of one order, if no two messages shared one."""
    return deliveries("payments") + deliveries("catalog") + EXTRA_COMMITS
