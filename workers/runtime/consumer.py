"""The loop: messages arrive from the queue, handlers commit their effects, deletes leave.

A bounded window of messages is in hand at any time; a slot that frees is filled at once, without
waiting for its neighbours. The exception that a handler raises decides what becomes of a message
(`workers.runtime.errors`). Outgoing events leave through the relay in `workers.runtime.outbox`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from comanda.envelope import Envelope, InvalidEnvelope
from comanda.events import Event
from comanda.messaging.batches import ENTRY_LIMIT, Coalescer
from comanda.messaging.ports import Message, MessagingUnavailable, Queue
from comanda.telemetry import HANDLING_SECONDS, MESSAGES_HANDLED, MESSAGES_IN_FLIGHT
from workers.runtime.backoff import backoff
from workers.runtime.errors import AlreadyHandled, Conflict, InvalidMessage, RetryLater
from workers.runtime.keyed import KeyedLocks
from workers.runtime.validity import ValidityWindow

log = logging.getLogger(__name__)
Handler = Callable[[Envelope], Awaitable[None]]
_CONFLICT_ATTEMPTS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerLimits:
    """How much a consumer takes in hand, and how long it holds on to it."""

    window: int = 64
    receivers: int = 4
    wait: timedelta = timedelta(seconds=20)
    visibility: timedelta = timedelta(seconds=30)
    longest_handling: timedelta = timedelta(minutes=5)
    grace: timedelta = timedelta(seconds=20)


class Consumer:
    """Drive one queue until it is told to stop."""

    def __init__(
        self,
        queue: Queue,
        handlers: Mapping[type[Event], Handler],
        *,
        context: str,
        limits: ConsumerLimits | None = None,
    ) -> None:
        self._queue = queue
        self._handlers = handlers
        self._context = context
        self._limits = limits or ConsumerLimits()
        self._slots = asyncio.Semaphore(self._limits.window)
        self._locks = KeyedLocks()
        self._validity = ValidityWindow()
        self._deletes: Coalescer[Message] = Coalescer(queue.delete)
        self._in_hand: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    @property
    def is_healthy(self) -> bool:
        """Tell whether the queue is being drained; false after too many invalid messages."""
        return self._validity.is_sound and not self._stopping.is_set()

    def stop(self) -> None:
        """Receive no more; `run` returns when what is in hand is finished."""
        self._stopping.set()

    async def run(self) -> None:
        """Receive and handle until `stop`; then finish what is in hand within the grace period."""
        receivers = [asyncio.create_task(self._receive()) for _ in range(self._limits.receivers)]
        await self._stopping.wait()
        # A long poll is abandoned; what the server hands out to nobody comes back in time.
        for receiver in receivers:
            receiver.cancel()
        await asyncio.gather(*receivers, return_exceptions=True)
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=self._limits.grace.total_seconds())
        for task in self._in_hand:
            task.cancel()
        await asyncio.gather(*self._in_hand, return_exceptions=True)

    async def _receive(self) -> None:
        failures = 0
        while self._validity.is_sound:
            async with self._slots:
                pass  # Ask for messages only when at least one slot is free.
            free = max(1, min(ENTRY_LIMIT, self._limits.window - len(self._in_hand)))
            try:
                messages = await self._queue.receive(limit=free, wait=self._limits.wait)
                failures = 0
            except MessagingUnavailable:
                failures += 1
                log.warning("receive failed", extra={"failures": failures})
                await asyncio.sleep(backoff(failures).total_seconds())
                continue
            for message in messages:
                await self._slots.acquire()
                self._start(message)
        log.critical("too many invalid messages; the consumer stops before it drains the queue")

    def _start(self, message: Message) -> None:
        task = asyncio.create_task(self._handle(message))
        self._in_hand.add(task)
        MESSAGES_IN_FLIGHT.labels(self._context).inc()
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        self._slots.release()
        MESSAGES_IN_FLIGHT.labels(self._context).dec()
        if not task.cancelled() and (fault := task.exception()):
            log.error("message left for its visibility timeout", exc_info=fault)

    async def _handle(self, message: Message) -> None:
        heartbeat = asyncio.create_task(self._hold(message))
        try:
            await self._decide(message)
        except asyncio.CancelledError:
            await self._queue.hide(message, duration=timedelta())
            raise
        except MessagingUnavailable:
            log.warning("queue out of reach; the message comes again", extra={"id": message.id})
        finally:
            heartbeat.cancel()

    async def _decide(self, message: Message) -> None:
        kind = message.attributes.get("type", "unknown")
        try:
            envelope, handler = self._parse(message)
            kind = envelope.event.wire_type
            with HANDLING_SECONDS.labels(self._context, kind).time():
                await self._dispatch(envelope, handler)
        except AlreadyHandled:
            await self._done(message, kind=kind, outcome="duplicate")
        except InvalidMessage as exc:
            self._validity.record(is_valid=False)
            log.error("message rejected", extra={"id": message.id, "reason": exc.reason})
            await self._queue.reject(message, reason=exc.reason)
            self._count(kind, "invalid")
        except RetryLater as exc:
            await self._queue.hide(message, duration=exc.after or backoff(message.receive_count))
            self._count(kind, "retried")
        except MessagingUnavailable:
            raise
        except Exception:
            log.exception("handler failed", extra={"id": message.id, "type": kind})
            await self._queue.hide(message, duration=backoff(message.receive_count))
            self._count(kind, "failed")
        else:
            self._validity.record(is_valid=True)
            await self._done(message, kind=kind, outcome="handled")

    def _parse(self, message: Message) -> tuple[Envelope, Handler]:
        try:
            envelope = Envelope.from_json(message.body)
        except InvalidEnvelope as exc:
            raise InvalidMessage(str(exc)) from exc
        handler = self._handlers.get(type(envelope.event))
        if handler is None:
            raise InvalidMessage(f"{self._context} does not handle {envelope.event.wire_type}")
        return envelope, handler

    async def _dispatch(self, envelope: Envelope, handler: Handler) -> None:
        # Two messages about one aggregate would only fight for its row or its version.
        async with self._locks.hold(f"{envelope.event.shop_id}/{envelope.event.subject}"):
            for _ in range(_CONFLICT_ATTEMPTS - 1):
                try:
                    return await handler(envelope)
                except Conflict as exc:
                    await asyncio.sleep((exc.after or timedelta()).total_seconds())
            return await handler(envelope)

    async def _done(self, message: Message, *, kind: str, outcome: str) -> None:
        await self._deletes.add(message)
        self._count(kind, outcome)

    async def _hold(self, message: Message) -> None:
        """Extend the visibility at every half of it, until the hard cap."""
        pause = self._limits.visibility / 2
        for _ in range(int(self._limits.longest_handling / pause)):
            await asyncio.sleep(pause.total_seconds())
            try:
                await self._queue.hide(message, duration=self._limits.visibility)
            except MessagingUnavailable:
                log.warning("heartbeat failed", extra={"id": message.id})

    def _count(self, kind: str, outcome: str) -> None:
        MESSAGES_HANDLED.labels(self._context, kind, outcome).inc()
