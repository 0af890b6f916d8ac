"""The queue of the bed: numbers instead of messages, so that a million of them cost nothing.

A number is fresh, hidden or deleted. Receipts are `number.count`. Faults are drawn per delivery
and per delete: a duplicate goes to somebody else at once, a lost acknowledgement is answered as
done and is not.
"""

import heapq
import random
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_PURGED = -1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """Shares, from 0 to 1."""

    duplicates: float = 0.0
    lost_acknowledgements: float = 0.0


@dataclass(slots=True)
class Counts:
    """What has happened since the bed began; deletes are of distinct messages."""

    filled: int = 0
    delivered: int = 0
    delivered_again: int = 0
    duplicated: int = 0
    deleted: int = 0
    deleted_again: int = 0
    acknowledgements_lost: int = 0
    returned: int = 0
    rejected: int = 0


class BedQueue:
    """Hand out numbers at least once; times are seconds of the given clock."""

    def __init__(self, *, clock: Callable[[], float], visibility: float = 30.0) -> None:
        self.clock = clock
        self._visibility = visibility
        self._next = 0
        self._held = 0
        self._back: deque[int] = deque()
        self._hidden: list[tuple[float, int]] = []
        self._receives = array("H")
        self._sent_at = array("d")
        self._deleted_at = array("d")
        self._until = array("d")
        self._chance = random.Random(20260102)  # noqa: S311  # Faults, not secrets.
        self.faults = Faults()
        self.counts = Counts()
        self.first_received_at = 0.0
        self.last_deleted_at = 0.0

    @property
    def next_due(self) -> float | None:
        """Give the time at which something hidden may come back."""
        return self._hidden[0][0] if self._hidden else None

    def configure(self, *, visibility: float, faults: Faults) -> None:
        """Set the visibility timeout in seconds, and the faults."""
        self._visibility = visibility
        self.faults = faults

    def hold(self, backlog: int) -> None:
        """Keep so many fresh messages standing, however fast they are taken; 0 ends it."""
        self._held = backlog

    def fill(self, count: int) -> int:
        """Put `count` fresh messages; give the first number."""
        first = self.counts.filled
        zeros = array("d", [0.0]) * count
        self._sent_at.extend(array("d", [self.clock()]) * count)
        self._deleted_at.extend(zeros)
        self._until.extend(zeros)
        self._receives.extend(array("H", [0]) * count)
        self.counts.filled += count
        return first

    def purge(self) -> None:
        """Forget what nobody has in hand; what somebody has can be deleted, but comes not back."""
        for number in range(self._next, self.counts.filled):
            self._deleted_at[number] = _PURGED
        self._next = self.counts.filled
        self._back.clear()
        self._hidden.clear()
        self._held = 0

    def take(self, limit: int) -> list[tuple[int, int]]:
        """Hand out up to `limit` messages: their numbers and how often they were received."""
        now = self.clock()
        if self._hidden and self._hidden[0][0] <= now:
            self._release(now)
        if self.counts.filled - self._next < self._held:
            self.fill(max(1000, self._held // 10))
        taken: list[tuple[int, int]] = []
        while self._back and len(taken) < limit:
            number = self._back.popleft()
            if not self._deleted_at[number]:
                taken.append(self._hand_out(number, now))
        while len(taken) < limit and self._next < self.counts.filled:
            number = self._next
            self._next += 1
            taken.append(self._hand_out(number, now))
            if self.faults.duplicates and self._chance.random() < self.faults.duplicates:
                self._back.append(number)
                self.counts.duplicated += 1
        if taken and not self.first_received_at:
            self.first_received_at = now
        return taken

    def delete(self, receipt: str) -> None:
        """Acknowledge; a message that is gone already is fine, as on AWS."""
        number = int(receipt.partition(".")[0])
        lost = self.faults.lost_acknowledgements
        if lost and self._chance.random() < lost:
            self.counts.acknowledgements_lost += 1
        elif self._deleted_at[number]:
            self.counts.deleted_again += 1
        else:
            self._deleted_at[number] = self.last_deleted_at = self.clock()
            self.counts.deleted += 1

    def hide(self, receipt: str, *, seconds: float) -> None:
        """Set how long the message stays hidden from now; 0 hands it back."""
        number = int(receipt.partition(".")[0])
        if self._deleted_at[number]:
            return
        if seconds:
            self._hide(number, self.clock() + seconds)
        else:
            self._until[number] = 0.0
            self._back.append(number)
            self.counts.returned += 1

    def sent_at(self, number: int) -> float:
        """Give when the message was sent."""
        return self._sent_at[number]

    def latencies(self, *, since: int) -> list[float]:
        """Give the seconds from sent to deleted of the messages from `since` on, in order."""
        pairs = zip(self._sent_at[since:], self._deleted_at[since:], strict=True)
        return sorted(deleted - sent for sent, deleted in pairs if deleted > 0)

    def _hand_out(self, number: int, now: float) -> tuple[int, int]:
        self._receives[number] += 1
        self.counts.delivered += 1
        self.counts.delivered_again += self._receives[number] > 1
        self._hide(number, now + self._visibility)
        return number, self._receives[number]

    def _hide(self, number: int, until: float) -> None:
        self._until[number] = until
        heapq.heappush(self._hidden, (until, number))

    def _release(self, now: float) -> None:
        while self._hidden and self._hidden[0][0] <= now:
            until, number = heapq.heappop(self._hidden)
            # A message whose visibility was changed since stands in the heap with another time.
            if self._until[number] == until and not self._deleted_at[number]:
                self._back.append(number)
