"""One standard queue: visible, hidden and delayed messages, receipts, redrive.

The queue never waits; whoever polls it for long waits in `local.bus.pollers`.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from local.bus.attributes import Attributes
from local.bus.errors import AwsError
from local.bus.faults import Faults, Point, Subject
from local.bus.lanes import Lanes
from local.bus.names import queue_arn
from local.bus.pollers import Pollers

# The heap of hidden messages is cleared of deleted ones when they are most of it.
_CLUTTER = 1000


@dataclass(slots=True)
class Entry:
    """A message with its place in the queue's life; times are seconds since the epoch.

    The key is the message's id, or a twin's own where a message was doubled on demand.
    """

    id: str
    body: str
    attributes: Attributes
    sent_at: float
    visible_at: float
    receive_count: int = 0
    first_received_at: float | None = None
    key: str = ""
    source_arn: str = ""
    receipt: str = ""
    is_deleted: bool = False
    is_in_flight: bool = False
    group: str = ""
    # Digests are made once a message, not once a receive.
    body_md5: str = ""
    attributes_md5: str = ""


@dataclass(slots=True)
class QueueSettings:
    """The attributes that matter here; durations are whole seconds."""

    visibility: int = 30
    delay: int = 0
    retention: int = 345_600
    wait: int = 0
    redrive_arn: str = ""
    max_receive_count: int = 0
    raw: dict[str, str] = field(default_factory=dict)


class BusQueue:
    """Hand out messages at least once; what is handed out too often goes to the dead letters.

    `tell` is called with each step of a message's life: kind, queue, message and detail.
    """

    def __init__(
        self,
        name: str,
        *,
        clock: Callable[[], float],
        tell: Callable[[str, str, Entry, Any], None],
        faults: Faults,
    ) -> None:
        self.name = name
        self.settings = QueueSettings()
        self.created_at = clock()
        self.pollers = Pollers(clock, self.show_due)
        self._clock = clock
        self._tell = tell
        self._faults = faults
        self._visible: Lanes[Entry] = Lanes()
        self._hidden: list[tuple[float, int, Entry]] = []
        self._order = count()
        self._by_key: dict[str, Entry] = {}
        # Receipts of an earlier life of the bus must not fit those of this one.
        self._receipts = count(int(self.created_at * 1000))

    @property
    def entries(self) -> list[Entry]:
        """Give all messages that are not deleted."""
        return list(self._by_key.values())

    def put(self, entry: Entry) -> None:
        """Take a message, visible from its time on."""
        entry.key = entry.key or entry.id
        self._by_key[entry.key] = entry
        if entry.visible_at <= self._clock():
            self._show(entry)
        else:
            self._hide(entry)

    def take(self, limit: int, *, visibility: int, dead: "BusQueue | None") -> list[Entry]:
        """Hand out up to `limit` messages that are visible now."""
        self.show_due()
        now = self._clock()
        taken: list[Entry] = []
        revealed: list[Entry] = []
        while self._visible and len(taken) < limit:
            entry = self._visible.pop()
            if entry.is_deleted or entry.visible_at > now:
                continue
            if now - entry.sent_at > self.settings.retention:
                self.forget(entry, kind="expired")
            elif dead is not None and entry.receive_count >= self.settings.max_receive_count:
                self._bury(entry, dead)
            else:
                taken.append(entry)
                if self._hand_out(entry, now=now, visibility=visibility):
                    revealed.append(entry)
        for entry in revealed:
            entry.visible_at = now
            self._show(entry)
        return taken

    def delete(self, receipt: str) -> None:
        """Forget a message; an old receipt or a message that is gone is fine, and does nothing."""
        entry = self.of_receipt(receipt)
        if entry is not None and entry.receipt == receipt:
            self.forget(entry)

    def change_visibility(self, receipt: str, *, seconds: int) -> None:
        """Hide for so long from now, or show at once when it is 0."""
        entry = self.of_receipt(receipt)
        if entry is None:
            raise AwsError(
                "InvalidParameterValue",
                f"Value {receipt} for parameter ReceiptHandle is invalid. Reason: Message does not"
                " exist or is not available for visibility timeout change.",
            )
        if entry.receipt != receipt or entry.visible_at <= self._clock():
            raise AwsError("MessageNotInflight", "The message referred to is not in flight.")
        entry.visible_at = self._clock() + seconds
        self._tell("hidden" if seconds else "handed_back", self.name, entry, seconds)
        if seconds:
            self._hide(entry)
        else:
            self._show(entry)

    def forget(self, entry: Entry, *, kind: str = "deleted") -> None:
        """Take a message out and say so."""
        self._drop(entry)
        self._tell(kind, self.name, entry, 0)

    def of_receipt(self, receipt: str) -> Entry | None:
        """Find a message by any of its receipts; raise for what was never one."""
        key, mark, number = receipt.partition("#")
        if not mark or not number.isdigit():
            raise AwsError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        return self._by_key.get(key)

    def of_key(self, key: str) -> Entry | None:
        """Find a message by its key."""
        return self._by_key.get(key)

    def purge(self) -> None:
        """Forget all messages without a word about each."""
        for entry in self.entries:
            self._drop(entry)

    def shuffle(self, dice: Random, *, span: int) -> None:
        """Forget the order of the first `span` visible messages."""
        self.show_due()
        self._visible.shuffle(dice, span=span)

    def counts(self) -> dict[str, int]:
        """Count visible, hidden and delayed messages."""
        self.show_due()
        # The hidden are few even when the queue is long; one stands in the heap once a change.
        found = {e.key: e for at, _, e in self._hidden if e.visible_at == at and not e.is_deleted}
        hidden = found.values()
        delayed = sum(1 for e in hidden if not e.receive_count)
        visible = len(self._by_key) - len(hidden)
        return {"visible": visible, "in_flight": len(hidden) - delayed, "delayed": delayed}

    def show_due(self) -> None:
        """Show what was hidden until now."""
        hidden = self._hidden
        if not hidden:
            return
        now = self._clock()
        while hidden and hidden[0][0] <= now:
            at, _, entry = heapq.heappop(hidden)
            # An entry whose visibility was changed since stands in the heap with another time.
            if not entry.is_deleted and entry.visible_at == at:
                self._show(entry)
        if hidden:
            self.pollers.wake_at(hidden[0][0])

    def _hand_out(self, entry: Entry, *, now: float, visibility: int) -> bool:
        """Count and hide; tell whether the message stays visible all the same."""
        entry.receive_count += 1
        entry.first_received_at = entry.first_received_at or now
        entry.receipt = f"{entry.key}#{next(self._receipts)}"
        entry.visible_at = now + visibility
        self._visible.depart(entry)
        self._tell("received", self.name, entry, entry.receive_count)
        if not visibility or (self._faults.at[Point.HAND_OUT] and self._is_revealed(entry)):
            return True
        self._hide(entry)
        return False

    def _bury(self, entry: Entry, dead: "BusQueue") -> None:
        self._drop(entry)
        buried = Entry(
            id=entry.id,
            key=entry.key,
            body=entry.body,
            attributes=entry.attributes,
            sent_at=entry.sent_at,
            visible_at=self._clock(),
            source_arn=queue_arn(self.name),
            group=entry.group,
        )
        dead.put(buried)
        self._tell("moved", self.name, entry, dead.name)

    def _drop(self, entry: Entry) -> None:
        entry.is_deleted = True
        self._visible.land(entry)
        self._by_key.pop(entry.key, None)
        hidden = self._hidden
        if len(hidden) > _CLUTTER and len(hidden) > 4 * len(self._by_key):
            self._hidden = [it for it in hidden if not it[2].is_deleted]
            heapq.heapify(self._hidden)

    def _show(self, entry: Entry) -> None:
        self._visible.land(entry)
        self._visible.add(entry)
        self.pollers.wake_one()

    def _hide(self, entry: Entry) -> None:
        heapq.heappush(self._hidden, (entry.visible_at, next(self._order), entry))
        self.pollers.wake_at(entry.visible_at)

    def _is_revealed(self, entry: Entry) -> bool:
        subject = Subject(
            queue=self.name, message_id=entry.id, body=entry.body, attributes=entry.attributes
        )
        fault = self._faults.strike(Point.HAND_OUT, subject)
        if fault is not None:
            self._tell("fault", self.name, entry, fault.kind)
        return fault is not None
