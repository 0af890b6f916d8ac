"""A process that consumes from a model of SQS; its calls and handlers fail as they are told to."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from comanda.envelope import Envelope
from comanda.events import OrderPaid
from comanda.messaging.ports import Message, MessagingUnavailable
from tests.chaos.sqs_model import SqsModel
from workers.runtime.consumer import Consumer, ConsumerLimits
from workers.runtime.errors import (
    AlreadyHandled,
    Conflict,
    InvalidMessage,
    RetryLater,
    StoreUnavailable,
)

MAX_RECEIVES = 5
LIMITS = ConsumerLimits(
    window=6,
    receivers=3,
    visibility=timedelta(seconds=30),
    longest_handling=timedelta(minutes=2),
    most_receives=MAX_RECEIVES,
    grace=timedelta(seconds=20),
)


class Store:
    """Inbox and effects, committed together; outlives every process."""

    def __init__(self) -> None:
        self.inbox: set[str] = set()
        self.effects: Counter[str] = Counter()


class Process:
    """What one process sees of the outside; once dead it reaches nothing and changes nothing."""

    def __init__(self, model: SqsModel, store: Store, endings: dict[str, list[str]]) -> None:
        self._model = model
        self._store = store
        self._endings = endings
        self.faults: dict[str, str] = {}
        self.is_dead = False
        self.is_side_by_side = False
        self._running: set[str] = set()
        self.subject = Consumer(self, {OrderPaid: self.handle}, context="orders", limits=LIMITS)
        self.task = asyncio.ensure_future(self.subject.run())

    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        end = self._time() + wait.total_seconds()
        while not (messages := await self._ask("receive", lambda: self._model.receive(limit))):
            if self._time() >= end:
                return []
            # A poll that the server holds looks again and again.
            await asyncio.sleep(min(1.0, max(0.0, end - self._time())))
        return messages

    async def delete(self, messages: Sequence[Message]) -> None:
        receipts = [message.receipt for message in messages]
        await self._ask("delete", lambda: self._model.delete(receipts))

    async def hide(self, message: Message, *, duration: timedelta) -> None:
        seconds = int(duration.total_seconds())
        await self._ask("hide", lambda: self._model.hide(message.receipt, seconds))

    async def extend(self, messages: Sequence[Message], *, duration: timedelta) -> None:
        def extend() -> None:
            for message in messages:
                self._model.hide(message.receipt, duration.total_seconds())

        await self._ask("extend", extend)

    async def reject(self, message: Message, *, reason: str) -> None:
        def reject() -> None:
            self._model.reject(
                message.receipt, message_id=message.id, count=message.receive_count, reason=reason
            )

        await self._ask("reject", reject)

    async def handle(self, envelope: Envelope) -> None:
        key = f"{envelope.event.shop_id}/{envelope.event.subject}"
        self.is_side_by_side |= key in self._running
        self._running.add(key)
        try:
            await self._unit(envelope)
        finally:
            self._running.discard(key)

    async def _unit(self, envelope: Envelope) -> None:
        endings = self._endings[envelope.id]
        ending = endings[0] if endings == ["invalid"] else endings.pop(0) if endings else "fine"
        await asyncio.sleep({"slow": 45.0, "hangs": 1e9}.get(ending, 0.01))
        self._raise_early(ending)
        self._commit(envelope.id)
        await asyncio.sleep(0.01)
        if ending == "unsure":
            raise StoreUnavailable  # It was committed, and nobody was told.
        if ending == "fails late":
            raise ValueError("the handler failed after its commit")

    def _raise_early(self, ending: str) -> None:
        match ending:
            case "retry":
                raise RetryLater(timedelta(seconds=3))
            case "fails":
                raise ValueError("the handler failed")
            case "conflict":
                raise Conflict(timedelta(milliseconds=20))
            case "outage":
                raise StoreUnavailable
            case "invalid":
                raise InvalidMessage("no such order")

    def _commit(self, event_id: str) -> None:
        if self.is_dead:
            return
        if event_id in self._store.inbox:
            raise AlreadyHandled
        self._store.inbox.add(event_id)
        self._store.effects[event_id] += 1

    async def _ask(self, name, call):  # type: ignore[no-untyped-def]
        await asyncio.sleep(0.005)
        fault = self.faults.get(name)
        if self.is_dead or fault == "lost":
            raise MessagingUnavailable("the request was lost")
        answer = call()
        await asyncio.sleep(0.005)
        if fault == "unanswered":
            raise MessagingUnavailable("the answer was lost")
        return answer

    def _time(self) -> float:
        return asyncio.get_running_loop().time()
