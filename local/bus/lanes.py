"""In what order a queue hands out its visible messages: by arrival, but fair among groups.

What AWS calls fair queues: a message may name its group (`MessageGroupId`), which here is the shop.
A group that has more than a tenth of all messages in flight, and at least thirty, is noisy until
its backlog is used up: others go first, and among noisy ones that with the fewest in flight. A
message without a group stands for itself. AWS also counts the time that consumers spend on a group;
this stand-in does not. Source: SQS developer guide, "How Amazon SQS fair queues work".
"""

from collections import deque
from random import Random
from typing import Generic, Protocol, TypeVar

NOISY_SHARE = 0.1
NOISY_COUNT = 30


class Grouped(Protocol):
    """What the lanes must know of a message."""

    group: str
    is_in_flight: bool


E = TypeVar("E", bound=Grouped)


class Lanes(Generic[E]):
    """Visible messages, and how many of each group are in flight."""

    def __init__(self) -> None:
        self._arrived: deque[E] = deque()
        self._noisy: dict[str, deque[E]] = {}
        self._in_flight: dict[str, int] = {}
        self._total = 0

    def __bool__(self) -> bool:
        return bool(self._arrived or self._noisy)

    def add(self, entry: E) -> None:
        """Take a message in that may be handed out."""
        lane = self._noisy.get(entry.group)
        (self._arrived if lane is None else lane).append(entry)

    def pop(self) -> E:
        """Give the message whose turn it is; raise `IndexError` when there is none."""
        while self._arrived:
            entry = self._arrived.popleft()
            lane = self._noisy.get(entry.group)
            if lane is not None:
                lane.append(entry)
            elif self._is_noisy(entry.group):
                self._noisy[entry.group] = deque([entry])
            else:
                return entry
        if not self._noisy:
            raise IndexError("no message is visible")
        group = min(self._noisy, key=lambda name: self._in_flight.get(name, 0))
        lane = self._noisy[group]
        entry = lane.popleft()
        if not lane:
            del self._noisy[group]
        return entry

    def depart(self, entry: E) -> None:
        """Count a message as in flight."""
        if not entry.is_in_flight:
            entry.is_in_flight = True
            self._total += 1
            if entry.group:
                self._in_flight[entry.group] = self._in_flight.get(entry.group, 0) + 1

    def land(self, entry: E) -> None:
        """Count a message as in flight no more, if it was."""
        if not entry.is_in_flight:
            return
        entry.is_in_flight = False
        self._total -= 1
        if entry.group:
            left = self._in_flight[entry.group] - 1
            if left:
                self._in_flight[entry.group] = left
            else:
                del self._in_flight[entry.group]

    def shuffle(self, dice: Random, *, span: int) -> None:
        """Forget the order of the first `span` messages."""
        first: list[E] = []
        while self and len(first) < span:
            first.append(self.pop())
        dice.shuffle(first)
        self._arrived.extendleft(first)

    def _is_noisy(self, group: str) -> bool:
        if not group:
            return False
        count = self._in_flight.get(group, 0)
        return count >= NOISY_COUNT and count > NOISY_SHARE * self._total
