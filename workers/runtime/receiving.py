"""Receivers: one polls an idle queue, more join while answers come back full, and leave after.

An idle queue costs one long poll of 20 s at a time, which is three requests a minute.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from comanda.clock import utc_now
from comanda.messaging.batches import ENTRY_LIMIT
from comanda.messaging.ports import Message, MessagingUnavailable, Queue
from comanda.telemetry import MESSAGE_WAIT_SECONDS
from workers.runtime.backoff import backoff
from workers.runtime.window import Window

log = logging.getLogger(__name__)
# SQS may give fewer than it has; half a batch already means that more is waiting.
_BEHIND = ENTRY_LIMIT // 2


class Receivers:
    """Fill the window from the queue until told to stop.

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
        self._leaving = asyncio.Event()

    @property
    def count(self) -> int:
        """Give how many receivers there are now."""
        return self._count

    def stop(self) -> None:
        """Ask for nothing more; what was asked for is accepted when it comes."""
        self._leaving.set()

    async def run(self) -> None:
        """Poll until told to stop and the last answers came, or until cancelled.

        A poll that is cancelled is abandoned: what the server handed out to nobody stays hidden
        until its visibility ends.
        """
        async with asyncio.TaskGroup() as group:
            self._join(group)
            try:
                await self._leaving.wait()
            finally:
                self._leaving.set()

    def _join(self, group: asyncio.TaskGroup) -> None:
        is_first = not self._count
        self._count += 1
        group.create_task(self._poll(group, is_first=is_first), name="receiver")

    async def _poll(self, group: asyncio.TaskGroup, *, is_first: bool) -> None:
        failures = 0
        # Asked of us, not of the task: an answer that comes with a cancellation may swallow it
        # (`asyncio.wait_for` does so in Python 3.11), and nobody would ever leave.
        while not self._leaving.is_set():
            try:
                count = await self._receive()
                failures = 0
            except MessagingUnavailable:
                failures += 1
                log.warning("receive failed", extra={"failures": failures})
                await self._pause(backoff(failures).total_seconds())
                continue
            if not count and not is_first:
                self._count -= 1
                return
            if count >= _BEHIND:
                self._call_another(group)
            if count < ENTRY_LIMIT:
                await self._pause(self._rest)

    async def _receive(self) -> int:
        """Accept what one poll brings; give how many came."""
        await self._gate.wait()
        places = await self._window.take(ENTRY_LIMIT)
        messages: list[Message] = []
        try:
            if not self._leaving.is_set():
                messages = await self._queue.receive(limit=places, wait=self._wait)
        finally:
            self._window.give_back(places - len(messages))
        _tell_wait(messages)
        for message in messages:
            self._accept(message)
        return len(messages)

    def _call_another(self, group: asyncio.TaskGroup) -> None:
        if self._count < self._most and not self._leaving.is_set():
            self._join(group)

    async def _pause(self, seconds: float) -> None:
        if seconds and not self._leaving.is_set():
            await asyncio.sleep(seconds)


def _tell_wait(messages: Sequence[Message]) -> None:
    now = utc_now()
    waits = [(now - it.sent_at).total_seconds() for it in messages if it.sent_at is not None]
    # A queue's clock and ours differ by a little.
    MESSAGE_WAIT_SECONDS.set(max((0.0, *waits)))
