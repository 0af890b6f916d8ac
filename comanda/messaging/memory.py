"""A topic and a queue in memory, for tests and experiments: the same promises, no wire."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count

from comanda.envelope import Envelope
from comanda.messaging.ports import Message, MessagingUnavailable


class InMemoryPublisher:
    """Keep what was published; `is_down` makes it refuse."""

    def __init__(self) -> None:
        self.published: list[Envelope] = []
        self.is_down = False

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Take all, or raise `MessagingUnavailable` and take none."""
        if self.is_down:
            raise MessagingUnavailable("the topic is down")
        self.published.extend(envelopes)


class InMemoryQueue:
    """A queue whose hidden messages come back when `release_hidden` is called."""

    def __init__(self) -> None:
        self._visible: deque[Message] = deque()
        self._in_flight: dict[str, Message] = {}
        self._arrived = asyncio.Event()
        self._receipts = count(1)
        self.hidden: dict[str, timedelta] = {}
        self.dead: list[tuple[Message, str]] = []
        self.deleted: list[str] = []

    def send(
        self,
        body: str,
        *,
        message_id: str | None = None,
        attributes: Mapping[str, str] | None = None,
        group: str = "",
    ) -> None:
        """Put a message on the queue."""
        message = Message(
            id=message_id or str(next(self._receipts)),
            body=body,
            receipt="",
            receive_count=0,
            attributes=dict(attributes or {}),
            group=group,
        )
        self._visible.append(message)
        self._arrived.set()

    @property
    def depth(self) -> int:
        """Count the messages that are not deleted."""
        return len(self._visible) + len(self._in_flight)

    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        """Receive up to `limit` messages, waiting for the first."""
        if not self._visible and wait:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), wait.total_seconds())
            except TimeoutError:
                return []
        return [self._hand_out() for _ in range(min(limit, len(self._visible)))]

    async def delete(self, messages: Sequence[Message]) -> None:
        """Forget the messages; a stale receipt is ignored, as SQS does."""
        for message in messages:
            if self._in_flight.pop(message.receipt, None):
                self.deleted.append(message.id)

    async def hide(self, message: Message, *, duration: timedelta) -> None:
        """Hide for `duration`, or hand back at once when it is zero."""
        self.hidden[message.id] = duration
        if not duration and (back := self._in_flight.pop(message.receipt, None)):
            self._visible.append(back)
            self._arrived.set()

    async def extend(self, messages: Sequence[Message], *, duration: timedelta) -> None:
        """Hide all of them for `duration`."""
        for message in messages:
            await self.hide(message, duration=duration)

    async def reject(self, message: Message, *, reason: str) -> None:
        """Move to the dead letters."""
        self.dead.append((message, reason))
        await self.delete([message])

    def release_hidden(self) -> None:
        """Let the visibility timeout of everything in flight run out."""
        self._visible.extend(self._in_flight.values())
        self._in_flight.clear()
        self._arrived.set()

    def _hand_out(self) -> Message:
        message = self._visible.popleft()
        received = replace(
            message,
            receipt=f"r{next(self._receipts)}",
            receive_count=message.receive_count + 1,
        )
        self._in_flight[received.receipt] = received
        return received
