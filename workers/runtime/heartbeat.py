"""Keep messages hidden while they are handled, up to a hard cap; one task for all of them."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from comanda.messaging.ports import Message, MessagingUnavailable, Queue

log = logging.getLogger(__name__)


# Beats in half a visibility timeout: who is just short of it at one is extended at the next.
_BEATS = 3


class Heartbeat:
    """Extend the visibility of what is held, each time half of it has gone by.

    What was held for `longest` is let go, and `give_up` is told before it is visible again.
    """

    def __init__(
        self,
        queue: Queue,
        *,
        visibility: timedelta,
        longest: timedelta,
        give_up: Callable[[Message], None] = lambda _: None,
    ) -> None:
        self._queue = queue
        self._give_up = give_up
        self._visibility = visibility
        self._pause = visibility.total_seconds() / 2 / _BEATS
        self._most_beats = longest.total_seconds() / self._pause
        self._beat = 0
        # By receipt: the message, the beat at which it came, and the one of its last extension.
        self._held: dict[str, tuple[Message, int, int]] = {}

    def hold(self, message: Message) -> None:
        """Begin to keep a message hidden."""
        self._held[message.receipt] = (message, self._beat, self._beat)

    def let_go(self, message: Message) -> None:
        """Leave the message to what is decided about it."""
        self._held.pop(message.receipt, None)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(self._pause)
            self._beat += 1
            self._give_up_overdue()
            await self._extend_due()

    def _give_up_overdue(self) -> None:
        held = self._held.values()
        for message in [m for m, since, _ in held if self._beat - since > self._most_beats]:
            self.let_go(message)
            self._give_up(message)

    async def _extend_due(self) -> None:
        now = self._beat
        due = [message for message, _, extended in self._held.values() if now - extended >= _BEATS]
        if not due:
            return
        try:
            await self._queue.extend(due, duration=self._visibility)
        except MessagingUnavailable:
            log.warning("heartbeat failed", extra={"count": len(due)})
            return
        for message in due:
            if held := self._held.get(message.receipt):
                self._held[message.receipt] = (message, held[1], now)
