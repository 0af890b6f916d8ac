"""Receivers: one polls an idle queue, more join while answers come back full, and leave after.

An idle queue costs one long poll of 20 s at a time, which is three requests a minute.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from comanda.messaging.batches import ENTRY_LIMIT
from comanda.messaging.ports import Message, MessagingUnavailable, Queue
from workers.runtime.backoff import backoff
from workers.runtime.window import Window

log = logging.getLogger(__name__)
# SQS may give fewer than it has; half a batch already means that more is waiting.
_BEHIND = ENTRY_LIMIT // 2


class Receivers:
    """Fill the window from the queue until cancelled.

    `accept` takes each message, and owes the window one place for it. While `gate` is not set
    nobody receives. After an answer that was not full a receiver may `rest`.
    """

    def __init__(
        self,
        queue: Queue,
        *,
        window: Window,
        accept: Callable[[Message], None],
        gate: asyncio.Event,
        most: int,
        wait: timedelta,
        rest: timedelta = timedelta(),
    ) -> None:
        self._queue = queue
        self._window = window
        self._accept = accept
        self._gate = gate
        self._most = most
        self._wait = wait
        self._rest = rest.total_seconds()
        self._count = 0
        self._is_leaving = False

    @property
    def count(self) -> int:
        """Give how many receivers there are now."""
        return self._count

    async def run(self) -> None:
        """Poll until cancelled; polls that are under way are then abandoned."""
        # What the server hands out to nobody comes back in time.
        async with asyncio.TaskGroup() as group:
            self._join(group)
            try:
                await asyncio.Event().wait()
            finally:
                self._is_leaving = True

    def _join(self, group: asyncio.TaskGroup) -> None:
        is_first = not self._count
        self._count += 1
        group.create_task(self._poll(group, is_first=is_first), name="receiver")

    async def _poll(self, group: asyncio.TaskGroup, *, is_first: bool) -> None:
        failures = 0
        # An answer that comes with the cancellation may swallow it (`asyncio.wait_for` does so in
        # Python 3.11), and on a busy queue nobody would ever leave.
        while not self._is_leaving:
            await self._gate.wait()
            places = await self._window.take(ENTRY_LIMIT)
            messages: list[Message] = []
            try:
                messages = await self._queue.receive(limit=places, wait=self._wait)
                failures = 0
            except MessagingUnavailable:
                failures += 1
                log.warning("receive failed", extra={"failures": failures})
            finally:
                self._window.give_back(places - len(messages))
            for message in messages:
                self._accept(message)
            if failures:
                await asyncio.sleep(backoff(failures).total_seconds())
            elif len(messages) >= _BEHIND and self._count < self._most:
                self._join(group)
            elif not messages and not is_first:
                self._count -= 1
                return
            elif self._rest and len(messages) < ENTRY_LIMIT:
                await asyncio.sleep(self._rest)
