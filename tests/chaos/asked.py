"""What outlives every worker of a trial, and how a worker's ports ask it across the boundary."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from comanda.envelope import Envelope
from comanda.messaging.ports import Message, MessagingUnavailable
from tests.chaos.forked import Boundary, Parent
from tests.chaos.sqs_model import SqsModel


@dataclass(kw_only=True)
class World:
    """What outlives every worker: the queue and the topic."""

    queue: SqsModel
    published: list[str] = field(default_factory=list)
    boundaries: int = 0

    def receive(self, limit: int) -> tuple[list[Message], bool]:
        return self.queue.receive(limit), self.queue.is_drained

    def delete(self, receipts: Sequence[str]) -> None:
        self.queue.delete(receipts)

    def hide(self, receipt: str, seconds: float) -> None:
        self.queue.hide(receipt, seconds)

    def publish(self, event_ids: Sequence[str]) -> None:
        self.published += event_ids

    def finish(self, boundaries: int) -> None:
        self.boundaries = boundaries


class AskedQueue:
    """The queue port of a child: every call crosses the boundary to the parent's model."""

    def __init__(self, parent: Parent, boundary: Boundary) -> None:
        self._parent = parent
        self._boundary = boundary
        self.drained = asyncio.Event()

    async def _ask(self, name: str, *arguments: Any) -> Any:
        cut = MessagingUnavailable("the queue is out of reach")
        return await self._boundary.cross(self._parent.ask(name, *arguments), cut=cut)

    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        messages, is_drained = await self._ask("receive", limit)
        if is_drained:
            self.drained.set()
        if not messages:
            await asyncio.sleep(wait.total_seconds())
        return list(messages)

    async def delete(self, messages: Sequence[Message]) -> None:
        await self._ask("delete", [message.receipt for message in messages])

    async def hide(self, message: Message, *, duration: timedelta) -> None:
        await self._ask("hide", message.receipt, duration.total_seconds())

    async def extend(self, messages: Sequence[Message], *, duration: timedelta) -> None:
        for message in messages:
            await self.hide(message, duration=duration)

    async def reject(self, message: Message, *, reason: str) -> None:
        raise AssertionError(f"no message of this trial is invalid: {reason}")


class AskedTopic:
    """The publisher of a child."""

    def __init__(self, parent: Parent, boundary: Boundary) -> None:
        self._parent = parent
        self._boundary = boundary

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        for start in range(0, len(envelopes), 10):
            asked = self._parent.ask("publish", [e.id for e in envelopes[start : start + 10]])
            cut = MessagingUnavailable("the topic is out of reach")
            await self._boundary.cross(asked, cut=cut)
