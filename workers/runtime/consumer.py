"""The loop: messages arrive from the queue, handlers commit their effects, deletes leave.

A bounded window of messages is in hand at any time; a place that frees is filled at once, without
waiting for its neighbours. The exception that a handler raises decides what becomes of a message
(`workers.runtime.errors`). Outgoing events leave through the relay in `workers.runtime.outbox`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from comanda.envelope import Envelope, InvalidEnvelope
from comanda.events import Event
from comanda.messaging.batches import Coalescer
from comanda.messaging.ports import Message, MessagingUnavailable, Queue
from comanda.telemetry import MESSAGES_IN_FLIGHT
from workers.runtime.backoff import backoff
from workers.runtime.errors import (
    AlreadyHandled,
    Conflict,
    InvalidMessage,
    RetryLater,
    StoreUnavailable,
    place_of,
)
from workers.runtime.handling import HandlingMetrics
from workers.runtime.heartbeat import Heartbeat
from workers.runtime.keyed import KeyedLocks
from workers.runtime.limits import ConsumerLimits
from workers.runtime.receiving import Receivers
from workers.runtime.tracing import traced_handling
from workers.runtime.validity import ValidityWindow
from workers.runtime.waiting import first_of
from workers.runtime.window import Window

__all__ = ["Consumer", "ConsumerLimits", "Handler"]

log = logging.getLogger(__name__)
Handler = Callable[[Envelope], Awaitable[None]]
_CONFLICT_ATTEMPTS = 4
# Long enough for a store to breathe, short enough to be back soon after it is.
_LONGEST_OUTAGE_PAUSE = 5.0
# A queue that has messages answers a poll sooner than this.
_LAST_ANSWERS = 1.0
# A queue that does not answer must not keep a process from leaving in time.
_LONGEST_HANDING_BACK = 5.0


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
        self._longest_seconds = self._limits.longest_handling.total_seconds()
        self._window = Window(self._limits.window)
        self._locks = KeyedLocks()
        self._validity = ValidityWindow()
        self._deletes: Coalescer[Message] = Coalescer(queue.delete)
        self._heartbeat = Heartbeat(
            queue,
            visibility=self._limits.visibility,
            longest=self._limits.longest_handling,
            give_up=self._give_up,
        )
        self._in_hand: dict[asyncio.Task[None], Message] = {}
        MESSAGES_IN_FLIGHT.labels(context).set_function(lambda: len(self._in_hand))
        self._metrics = HandlingMetrics(context)
        self._traced = traced_handling(self._handle, context=context)
        self._may_receive = asyncio.Event()
        self._may_receive.set()
        self._stopping = asyncio.Event()
        self._aborting = asyncio.Event()
        self._has_died = False

    @property
    def is_alive(self) -> bool:
        """Tell whether the loop runs, or ends because it was told to; no dependency matters."""
        return not self._has_died

    @property
    def is_healthy(self) -> bool:
        """Tell whether the queue is being drained; false after too many invalid messages."""
        return self._validity.is_sound and not self._stopping.is_set()

    def stop(self) -> None:
        """Receive no more and finish what is in hand; called again, hand everything back now."""
        if self._stopping.is_set():
            self._aborting.set()
        self._stopping.set()

    async def run(self) -> None:
        """Receive and handle until `stop`; then finish what is in hand within the grace period."""
        receivers = Receivers(
            self._queue,
            window=self._window,
            accept=self._accept,
            gate=self._may_receive,
            most=self._limits.receivers,
            wait=self._limits.wait,
            rest=self._limits.rest,
        )
        receiving = asyncio.create_task(receivers.run(), name="receivers")
        beating = asyncio.create_task(self._heartbeat.run(), name="heartbeat")
        try:
            await first_of(self._stopping.wait(), receiving, beating)
            self._has_died = not self._stopping.is_set()
            receivers.stop()
            # An answer that is abandoned as it comes stays hidden until its visibility ends.
            await first_of(receiving, self._aborting.wait(), seconds=_LAST_ANSWERS)
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            await self._finish()
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
        for task in (receiving, beating):
            if not task.cancelled() and (fault := task.exception()):
                raise fault

    async def _finish(self) -> None:
        if self._in_hand:
            grace = self._limits.grace.total_seconds()
            finished = asyncio.wait(set(self._in_hand))
            await first_of(finished, self._aborting.wait(), seconds=grace)
        left = dict(self._in_hand)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._hand_back(list(left.values()))

    async def _hand_back(self, messages: list[Message]) -> None:
        if not messages:
            return
        log.info("messages handed back", extra={"count": len(messages)})
        try:
            async with asyncio.timeout(_LONGEST_HANDING_BACK):
                await self._queue.extend(messages, duration=timedelta())
        except (MessagingUnavailable, TimeoutError):
            log.warning("not handed back; they come when their visibility ends")

    def _accept(self, message: Message) -> None:
        self._heartbeat.hold(message)
        task = asyncio.create_task(self._traced(message))
        self._in_hand[task] = message
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._heartbeat.let_go(self._in_hand.pop(task))
        self._window.give_back()
        if not task.cancelled() and (fault := task.exception()):
            log.error("message left for its visibility timeout", exc_info=fault)

    def _give_up(self, message: Message) -> None:
        """End a handler that hangs: it would keep its place and its aggregate for ever."""
        log.error("handler took too long and is ended", extra={"id": message.id})
        self._metrics.count(message.attributes.get("type", "unknown"), "overdue")
        for task, held in self._in_hand.items():
            if held is message:
                task.cancel()

    async def _handle(self, message: Message) -> None:
        try:
            await self._decide(message)
        except MessagingUnavailable:
            log.warning("queue out of reach; the message comes again", extra={"id": message.id})

    async def _decide(self, message: Message) -> None:
        kind = message.attributes.get("type", "unknown")
        try:
            envelope, handler = self._parse(message)
            kind = envelope.event.wire_type
            with self._metrics.timed(kind):
                await self._dispatch(envelope, handler)
        except AlreadyHandled:
            await self._done(message, kind=kind, outcome="duplicate")
        except InvalidMessage as exc:
            await self._reject(message, kind=kind, reason=exc.reason)
        except RetryLater as exc:
            await self._put_off(message, exc, kind=kind)
        except Exception as exc:
            log.exception("handler failed", extra={"id": message.id, "type": kind})
            await self._fail(message, exc, kind=kind)
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
        apart = envelope.event.subject if self._limits.takes_turns else envelope.id
        async with self._locks.hold(f"{envelope.event.shop_id}/{apart}"):
            try:
                await self._attempt(envelope, handler)
            finally:
                # However it ended, this message waits for the store no more; if it was the last
                # one that did, nobody else would ever let the receivers go on.
                if self._validity.is_sound:
                    self._may_receive.set()

    async def _attempt(self, envelope: Envelope, handler: Handler) -> None:
        conflicts, outages = 0, 0
        deadline = asyncio.get_running_loop().time() + self._longest_seconds
        while not self._stopping.is_set():
            try:
                await handler(envelope)
            except Conflict as exc:
                conflicts += 1
                if conflicts == _CONFLICT_ATTEMPTS:
                    # Its own pause is shorter than a queue can hide a message.
                    raise RetryLater from exc
                await asyncio.sleep((exc.after or timedelta()).total_seconds())
            except StoreUnavailable:
                outages += 1
                await self._wait_out(outages, deadline=deadline)
            else:
                return
        raise RetryLater(timedelta())  # Not begun: whoever comes next may have it.

    async def _wait_out(self, outages: int, *, deadline: float) -> None:
        """Keep the message in hand while the store is away: coming again would count against it."""
        if self._may_receive.is_set():
            self._may_receive.clear()
            log.warning("store out of reach; receiving waits")
        if asyncio.get_running_loop().time() > deadline:
            raise RetryLater
        pause = min(backoff(outages).total_seconds(), _LONGEST_OUTAGE_PAUSE)
        await first_of(self._stopping.wait(), seconds=pause)

    async def _done(self, message: Message, *, kind: str, outcome: str) -> None:
        await self._deletes.add(message)
        self._metrics.count(kind, outcome)

    async def _hide(
        self, message: Message, duration: timedelta | None, *, kind: str, outcome: str
    ) -> None:
        self._heartbeat.let_go(message)
        pause = backoff(message.receive_count) if duration is None else duration
        await self._queue.hide(message, duration=pause)
        self._metrics.count(kind, outcome)

    async def _put_off(self, message: Message, fault: RetryLater, *, kind: str) -> None:
        # Zero hands back what was not begun, which is nobody's fault.
        if fault.after == timedelta() or message.receive_count < self._limits.most_retries:
            await self._hide(message, fault.after, kind=kind, outcome="retried")
            return
        place = place_of(fault.__cause__ or fault)
        reason = f"put off {message.receive_count} times, at last by {place}"
        log.error("message rejected", extra={"id": message.id, "reason": reason})
        await self._queue.reject(message, reason=reason)
        self._metrics.count(kind, "exhausted")

    async def _fail(self, message: Message, fault: Exception, *, kind: str) -> None:
        if message.receive_count < self._limits.most_receives:
            await self._hide(message, None, kind=kind, outcome="failed")
            return
        reason = f"failed {message.receive_count} times, at last by {place_of(fault)}"
        await self._reject(message, kind=kind, reason=reason)

    async def _reject(self, message: Message, *, kind: str, reason: str) -> None:
        log.error("message rejected", extra={"id": message.id, "reason": reason})
        if not self._validity.is_sound:
            # The window may hold hundreds more of them; those are kept for the deploy that heals.
            await self._hide(message, None, kind=kind, outcome="kept")
            return
        self._count_invalid()
        await self._queue.reject(message, reason=reason)
        self._metrics.count(kind, "invalid")

    def _count_invalid(self) -> None:
        self._validity.record(is_valid=False)
        if not self._validity.is_sound:
            self._may_receive.clear()
            log.critical("too many invalid messages; the consumer stops before it drains the queue")
