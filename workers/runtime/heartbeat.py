"""Keep messages hidden while they are handled, up to a hard cap; one task for all of them."""

import asyncio
import logging
from datetime import timedelta

from comanda.messaging.ports import Message, MessagingUnavailable, Queue

log = logging.getLogger(__name__)


class Heartbeat:
    """Extend the visibility of what is held, each time half of it has gone by."""

    def __init__(self, queue: Queue, *, visibility: timedelta, longest: timedelta) -> None:
        self._queue = queue
        self._visibility = visibility
        self._longest = longest.total_seconds()
        # By receipt: the message, when it was received, and when it was last extended.
        self._held: dict[str, tuple[Message, float, float]] = {}

    def hold(self, message: Message) -> None:
        """Begin to keep a message hidden."""
        now = asyncio.get_running_loop().time()
        self._held[message.receipt] = (message, now, now)

    def let_go(self, message: Message) -> None:
        """Leave the message to what is decided about it."""
        self._held.pop(message.receipt, None)

    async def run(self) -> None:
        """Beat until cancelled."""
        half = self._visibility.total_seconds() / 2
        while True:
            # Whoever is just short of half at one beat is extended at the next, well in time.
            await asyncio.sleep(half / 3)
            await self._beat(half)

    async def _beat(self, half: float) -> None:
        now = asyncio.get_running_loop().time()
        due = [
            message
            for message, since, extended in self._held.values()
            if now - extended >= half and now - since < self._longest
        ]
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
