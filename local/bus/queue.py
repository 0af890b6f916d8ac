"""One standard queue: visible, hidden and delayed messages, receipts, redrive, long polling."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from local.bus.errors import AwsError

MOST_IN_FLIGHT = 120_000


@dataclass(slots=True)
class Entry:
    """A message with its place in the queue's life; times are seconds since the epoch."""

    id: str
    body: str
    attributes: dict[str, Any]
    sent_at: float
    visible_at: float
    receive_count: int = 0
    first_received_at: float | None = None
    receipt: str = ""
    is_deleted: bool = False


@dataclass(slots=True)
class QueueSettings:
    """The attributes that matter here; durations are whole seconds."""

    visibility: int = 30
    delay: int = 0
    retention: int = 345_600
    wait: int = 0
    redrive_arn: str = ""
    max_receive_count: int = 0
    raw: dict[str, str] = field(default_factory=dict)


class BusQueue:
    """Hand out messages at least once; what is handed out too often goes to the dead letters."""

    def __init__(self, name: str, *, clock: Callable[[], float], note: Callable[..., None]) -> None:
        self.name = name
        self.settings = QueueSettings()
        self.created_at = clock()
        self._clock = clock
        self._note = note
        self._visible: deque[Entry] = deque()
        self._hidden: list[tuple[float, int, Entry]] = []
        self._order = count()
        self._by_id: dict[str, Entry] = {}
        self._receipts = count(1)
        self._pollers: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def entries(self) -> list[Entry]:
        """Give all messages that are not deleted."""
        return list(self._by_id.values())

    def put(self, entry: Entry) -> None:
        """Take a message, visible from its time on."""
        self._by_id[entry.id] = entry
        if entry.visible_at <= self._clock():
            self._show(entry)
        else:
            self._hide_until(entry, entry.visible_at)

    async def receive(
        self, *, limit: int, wait: float, visibility: int, dead: "BusQueue | None"
    ) -> list[Entry]:
        """Hand out up to `limit` messages, waiting up to `wait` seconds for the first."""
        deadline = self._clock() + wait
        while True:
            taken = self._take(limit, visibility=visibility, dead=dead)
            left = deadline - self._clock()
            if taken or left <= 0:
                return taken
            poller: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._pollers.append(poller)
            try:
                await asyncio.wait_for(poller, left)
            except TimeoutError:
                return self._take(limit, visibility=visibility, dead=dead)
            finally:
                if poller in self._pollers:
                    self._pollers.remove(poller)

    def delete(self, receipt: str) -> None:
        """Forget a message; one that is gone already is fine, as on AWS."""
        entry = self._of_receipt(receipt)
        if entry is not None:
            self._drop(entry)
            self._note("deleted", queue=self.name, id=entry.id)

    def change_visibility(self, receipt: str, *, seconds: int) -> None:
        """Hide for so long from now, or show at once when it is 0."""
        entry = self._of_receipt(receipt)
        if entry is None or entry.receipt != receipt or entry.visible_at <= self._clock():
            raise AwsError(
                "MessageNotInflight", "The message referred to is not in flight.", status=400
            )
        entry.visible_at = self._clock() + seconds
        if seconds:
            self._hide_until(entry, entry.visible_at)
        else:
            self._show(entry)

    def purge(self) -> None:
        """Forget all messages."""
        for entry in self.entries:
            self._drop(entry)
        self._note("purged", queue=self.name)

    def counts(self) -> dict[str, int]:
        """Count visible, hidden and delayed messages."""
        self._wake_due()
        now = self._clock()
        hidden = [e for e in self._by_id.values() if e.visible_at > now]
        delayed = sum(1 for e in hidden if not e.receive_count)
        visible = len(self._by_id) - len(hidden)
        return {"visible": visible, "in_flight": len(hidden) - delayed, "delayed": delayed}

    def _take(self, limit: int, *, visibility: int, dead: "BusQueue | None") -> list[Entry]:
        self._wake_due()
        now = self._clock()
        taken: list[Entry] = []
        while self._visible and len(taken) < limit:
            entry = self._visible.popleft()
            if entry.is_deleted or entry.visible_at > now:
                continue
            if now - entry.sent_at > self.settings.retention:
                self._drop(entry)
                self._note("deleted", queue=self.name, id=entry.id)
            elif dead is not None and entry.receive_count >= self.settings.max_receive_count:
                self._bury(entry, dead)
            else:
                taken.append(self._hand_out(entry, now=now, visibility=visibility))
        return taken

    def _hand_out(self, entry: Entry, *, now: float, visibility: int) -> Entry:
        entry.receive_count += 1
        entry.first_received_at = entry.first_received_at or now
        entry.receipt = f"{entry.id}#{next(self._receipts)}"
        entry.visible_at = now + visibility
        self._note("received", queue=self.name, id=entry.id, count=entry.receive_count)
        if visibility:
            self._hide_until(entry, entry.visible_at)
        else:
            self._show(entry)
        return entry

    def _bury(self, entry: Entry, dead: "BusQueue") -> None:
        self._drop(entry)
        self._note("moved", queue=self.name, id=entry.id, to=dead.name)
        buried = Entry(
            id=entry.id,
            body=entry.body,
            attributes=entry.attributes,
            sent_at=entry.sent_at,
            visible_at=self._clock(),
        )
        dead.put(buried)

    def _of_receipt(self, receipt: str) -> Entry | None:
        message_id, mark, number = receipt.partition("#")
        if not mark or not number.isdigit():
            raise AwsError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        return self._by_id.get(message_id)

    def _drop(self, entry: Entry) -> None:
        entry.is_deleted = True
        self._by_id.pop(entry.id, None)

    def _show(self, entry: Entry) -> None:
        self._visible.append(entry)
        while self._pollers:
            poller = self._pollers.popleft()
            if not poller.done():
                poller.set_result(None)
                return

    def _hide_until(self, entry: Entry, at: float) -> None:
        heapq.heappush(self._hidden, (at, next(self._order), entry))
        self._arm()

    def _wake_due(self) -> None:
        now = self._clock()
        while self._hidden and self._hidden[0][0] <= now:
            at, _, entry = heapq.heappop(self._hidden)
            # An entry whose visibility was changed since stands in the heap with another time.
            if not entry.is_deleted and entry.visible_at == at:
                self._show(entry)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._hidden:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # While the log is replayed there is no loop, and nobody polls.
        self._timer = loop.call_later(max(0.0, self._hidden[0][0] - self._clock()), self._wake_due)
