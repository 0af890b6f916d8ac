"""What SQS promises a standard queue's consumer, and no more: a model in memory.

Visibility timeouts, receive counts and redrive; any order, deliveries doubled at random. Its clock
is given, so it lives as well in virtual time as in real time.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from comanda.messaging.ports import Message


@dataclass(kw_only=True, slots=True)
class Entry:
    """A message on the queue."""

    id: str
    body: str
    attributes: dict[str, str]
    visible_at: float
    receive_count: int = 0
    # A message that was delivered twice has two receipts that are good.
    receipts: set[str] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dead:
    """A dead letter; without a reason it was received too often."""

    id: str
    receive_count: int
    reason: str | None = None


class SqsModel:
    """One queue and its dead letters."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        rng: random.Random,
        visibility: float = 30.0,
        max_receives: int = 5,
        doubled: float = 0.0,
        longest_hide: float = 43_200.0,
    ) -> None:
        self._now = now
        self._rng = rng
        self._visibility = visibility
        self._max_receives = max_receives
        self._longest_hide = longest_hide
        self._receipts = 0
        self.doubled = doubled
        self.entries: dict[str, Entry] = {}
        self.dead: list[Dead] = []
        self.deliveries = 0

    def send(self, body: str, *, message_id: str, attributes: dict[str, str] | None = None) -> None:
        """Put a message on the queue; one that is there already is a duplicate of itself."""
        entry = Entry(id=message_id, body=body, attributes=attributes or {}, visible_at=self._now())
        self.entries.setdefault(message_id, entry)

    @property
    def is_drained(self) -> bool:
        """Tell whether nothing is left, visible or not."""
        return not self.entries

    def next_visible_at(self) -> float | None:
        """Give when the next message may be received."""
        return min((entry.visible_at for entry in self.entries.values()), default=None)

    def receive(self, limit: int) -> list[Message]:
        """Hand out some of what is visible, in any order; move on what came too often."""
        now = self._now()
        visible = [entry for entry in self.entries.values() if entry.visible_at <= now]
        self._rng.shuffle(visible)
        given = []
        for entry in visible[:limit]:
            if entry.receive_count >= self._max_receives:
                del self.entries[entry.id]
                self.dead.append(Dead(id=entry.id, receive_count=entry.receive_count))
                continue
            given.append(self._hand_out(entry, now=now))
        return given

    def delete(self, receipts: Sequence[str]) -> None:
        """Delete by receipts; stale ones are ignored."""
        for receipt in receipts:
            if entry := self._of(receipt):
                del self.entries[entry.id]

    def hide(self, receipt: str, seconds: float) -> None:
        """Set when the message is visible again."""
        if entry := self._of(receipt):
            entry.visible_at = self._now() + min(seconds, self._longest_hide)

    def reject(self, receipt: str, *, message_id: str, count: int, reason: str) -> None:
        """Make it a dead letter with a reason, then delete it."""
        self.dead.append(Dead(id=message_id, receive_count=count, reason=reason))
        self.delete([receipt])

    def release(self) -> None:
        """Let all visibility timeouts run out."""
        for entry in self.entries.values():
            entry.visible_at = self._now()

    def _hand_out(self, entry: Entry, *, now: float) -> Message:
        self._receipts += 1
        self.deliveries += 1
        receipt = f"r{self._receipts}"
        if entry.visible_at <= now and self._rng.random() < self.doubled:
            entry.receipts.add(receipt)  # It stays visible: somebody gets it as well.
        else:
            entry.receipts = {receipt}
            entry.visible_at = now + self._visibility
        entry.receive_count += 1
        return Message(
            id=entry.id,
            body=entry.body,
            receipt=receipt,
            receive_count=entry.receive_count,
            attributes=dict(entry.attributes),
        )

    def _of(self, receipt: str) -> Entry | None:
        return next((e for e in self.entries.values() if receipt in e.receipts), None)
