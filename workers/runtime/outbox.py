"""The message relay: committed envelopes arrive, published envelopes leave, the store forgets them.

Each unit of work hands its envelopes over right after its commit. Whatever a crash or an outage
leaves in the store is published by `sweep`; publishing twice is harmless, forgetting is impossible.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from comanda.envelope import Envelope, InvalidEnvelope
from comanda.messaging.ports import MessagingUnavailable, Publisher
from comanda.telemetry import OUTBOX_OLDEST_SECONDS, OUTBOX_SWEPT

log = logging.getLogger(__name__)

# Younger rows are still in the hands of the relay that committed them.
SWEEP_AGE = timedelta(seconds=5)
SWEEP_BATCH = 100
# The queue keeps a message for 14 days at most and its dead letters as long: nothing older comes.
INBOX_AGE = timedelta(days=30)
_CHUNK = 100
# Forgetting is housekeeping: done a few times a second for all, well before any sweep looks.
_FORGET_EVERY = timedelta(milliseconds=250)


class OutboxStore(Protocol):
    """What a worker needs of its units of work besides beginning them."""

    async def sweep(self) -> int:
        """Publish what a crash left behind; return how many envelopes."""

    async def drain(self) -> None:
        """Wait until all that was handed to the relay is published or left for the sweep."""


class Relay:
    """Publish committed envelopes in natural batches: all that gathered while one was under way."""

    def __init__(
        self, publisher: Publisher, *, forget: Callable[[Sequence[str]], Awaitable[None]]
    ) -> None:
        self._publisher = publisher
        self._forget = forget
        self._pending: list[Envelope] = []
        self._published: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self._cleaner: asyncio.Task[None] | None = None

    def hand_over(self, envelopes: Sequence[Envelope]) -> None:
        """Take committed envelopes; they go out in the background, in order."""
        self._pending.extend(envelopes)
        if self._pending and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(), name="relay")

    async def drain(self) -> None:
        """Wait until nothing is pending and what was published is forgotten."""
        while self._task is not None and not self._task.done():
            await asyncio.wait({self._task})
        await self._forget_published()

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Publish and forget; raise `MessagingUnavailable` and leave all in the store."""
        await self._publisher.publish(envelopes)
        await self._forget([envelope.id for envelope in envelopes])

    async def publish_only(self, envelopes: Sequence[Envelope]) -> None:
        """Publish what a sweep found; the caller forgets it in the transaction that locked it."""
        await self._publisher.publish(envelopes)

    async def _run(self) -> None:
        while self._pending:
            batch, self._pending = self._pending[:_CHUNK], self._pending[_CHUNK:]
            try:
                await self._publisher.publish(batch)
            except MessagingUnavailable:
                log.warning("outbox left for the sweep", extra={"count": len(batch)})
            else:
                self._published += [envelope.id for envelope in batch]
                self._clean_later()

    def _clean_later(self) -> None:
        if self._cleaner is None or self._cleaner.done():
            self._cleaner = asyncio.create_task(self._clean(), name="relay-cleaner")

    async def _clean(self) -> None:
        while self._published:
            await asyncio.sleep(_FORGET_EVERY.total_seconds())
            await self._forget_published()

    async def _forget_published(self) -> None:
        ids, self._published = self._published, []
        if not ids:
            return
        try:
            await self._forget(ids)
        except Exception:
            # The rows stay and go out once more by the sweep, which receivers allow for.
            log.exception("outbox not forgotten", extra={"count": len(ids)})


def readable(bodies: Iterable[str]) -> list[Envelope]:
    """Read what a sweep found; what a newer version wrote before a rollback waits for that one.

    It must not hold back what was written after it.
    """
    found = []
    for body in bodies:
        try:
            found.append(Envelope.from_json(body))
        except InvalidEnvelope as exc:
            log.critical("outbox holds what cannot be read", extra={"reason": str(exc)})
    return found


def tell_oldest(written: Iterable[datetime], *, now: datetime) -> None:
    """Record how old the oldest of what a sweep found is, before it tries to publish any."""
    oldest = min(written, default=now)
    OUTBOX_OLDEST_SECONDS.set((now - oldest).total_seconds())


def count_swept(context_count: int) -> int:
    """Record how many envelopes a sweep saved; more than a few means that relays die."""
    if context_count:
        OUTBOX_SWEPT.inc(context_count)
        log.info("outbox swept", extra={"count": context_count})
    return context_count
