"""Deliver notifications, again and again until they are answered with 200 or 201.

Mercado Pago repeats after 15, 30 and 45 minutes and then ever more slowly, up to once a day; these
waits are divided by the clock's `retry_speed`. The same bytes go out each time.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import aiohttp

from local.mercadopago.applications import Applications
from local.mercadopago.clock import VirtualClock
from local.mercadopago.journal import Journal
from local.mercadopago.notifications import signature
from local.mercadopago.schedule import Delivery, Schedule
from local.mercadopago.settings import Settings

log = logging.getLogger(__name__)
MINUTE = 60.0
RETRY_SECONDS = (
    *(minutes * MINUTE for minutes in (15, 30, 45, 90, 180, 360, 720)),
    *(24 * 60 * MINUTE for _ in range(4)),
)
MOST_AT_ONCE = 64
TIMEOUT_SECONDS = 22.0
DELIVERED = frozenset({200, 201})


class Courier:
    """Carry notifications to the shops, at most `MOST_AT_ONCE` at a time; the rest stay stored."""

    def __init__(
        self,
        schedule: Schedule,
        *,
        applications: Applications,
        clock: VirtualClock,
        settings: Settings,
        journal: Journal,
    ) -> None:
        self._schedule = schedule
        self._applications = applications
        self._clock = clock
        self._settings = settings
        self._journal = journal
        self._session: aiohttp.ClientSession | None = None
        self._running: dict[int, asyncio.Task[None]] = {}
        self._sale_of: dict[int, str] = {}
        self._finished = asyncio.Event()
        self.wake: Callable[[float], None] = lambda _: None

    async def start(self) -> None:
        """Open the connections."""
        connector = aiohttp.TCPConnector(limit=MOST_AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(
            timeout=timeout, connector=connector, auto_decompress=False
        )

    async def stop(self) -> None:
        """Drop what is under way; the store keeps it."""
        session, self._session = self._session, None
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if session is not None:
            await session.close()

    def carry(self, delivery: Delivery) -> None:
        """Take a notification that is saved already."""
        if delivery.due > self._clock.seconds():
            self.wake(delivery.due)
        elif self._session is not None and len(self._running) < MOST_AT_ONCE:
            self._begin(delivery)

    def pump(self) -> float | None:
        """Begin what is due; give when the next one is, `None` if a finished one will tell."""
        now = self._clock.seconds()
        if self._session is not None:
            for delivery in self._schedule.due_deliveries(now, limit=2 * MOST_AT_ONCE):
                if len(self._running) >= MOST_AT_ONCE:
                    return None
                if delivery.seq not in self._running:
                    self._begin(delivery)
        return self._schedule.next_delivery(after=now)

    async def tried(self, sale_id: str) -> None:
        """Wait until the notifications of a sale that are under way have been answered."""
        tasks = [self._running[seq] for seq, sale in self._sale_of.items() if sale == sale_id]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self, *, seconds: float) -> tuple[int, int]:
        """Wait until nothing is due, at most so many real seconds; count due and later ones."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            due, later = self._schedule.count_deliveries(due_by=self._clock.seconds())
            left = deadline - loop.time()
            if not due or left <= 0:
                return due, later
            self._finished.clear()
            try:
                await asyncio.wait_for(self._finished.wait(), timeout=left)
            except TimeoutError:
                continue

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._carry(delivery))
        self._running[delivery.seq] = task
        self._sale_of[delivery.seq] = delivery.sale
        task.add_done_callback(lambda _: self._end(delivery.seq))

    def _end(self, seq: int) -> None:
        was_full = len(self._running) >= MOST_AT_ONCE
        del self._running[seq], self._sale_of[seq]
        self._finished.set()
        if was_full:
            self.wake(0.0)

    async def _carry(self, delivery: Delivery) -> None:
        outcome = await self._try(delivery)
        self._journal.add_delivery(delivery, outcome=outcome)
        if outcome in DELIVERED:
            self._schedule.drop_delivery(delivery)
            if self._schedule.release_held(delivery.sale, now=self._clock.seconds()):
                self.wake(0.0)
        elif delivery.is_once or delivery.attempts >= len(RETRY_SECONDS):
            log.info("notification given up", extra={"sale": delivery.sale})
            self._schedule.drop_delivery(delivery)
        else:
            self._postpone(delivery)

    def _postpone(self, delivery: Delivery) -> None:
        pause = RETRY_SECONDS[delivery.attempts] / self._clock.setting.retry_speed
        due = self._clock.seconds() + pause
        headers = delivery.headers
        if self._settings.switches.resign_retries:
            headers = self._signed_anew(delivery)
        self._schedule.postpone(delivery, due=due, headers=headers)
        self.wake(due)

    def _signed_anew(self, delivery: Delivery) -> str:
        written: dict[str, str] = json.loads(delivery.headers)
        application = self._applications.of_shop(delivery.shop)
        if application is not None and "X-Signature" in written:
            ids = parse_qs(urlsplit(delivery.url).query).get("data.id", [None])
            request_id = written.get("X-Request-Id")
            written["X-Signature"] = signature(ids[0], request_id, application=application)
        return json.dumps(written)

    async def _try(self, delivery: Delivery) -> int | str:
        if self._session is None:
            return "stopped"
        try:
            async with self._session.post(
                delivery.url,
                data=delivery.body.encode(),
                headers=json.loads(delivery.headers),
                allow_redirects=False,
            ) as answer:
                await answer.content.readany()
                return answer.status
        except (aiohttp.ClientError, TimeoutError) as exc:
            return type(exc).__name__
