"""Send dead letters back to the queue they came from: one, some or all, at a bearable pace.

A letter is sent before it is deleted. A crash between the two leaves it among the dead letters, so
it is sent again by the next run; the inbox makes the second arrival harmless. Nothing is
remembered between runs, and within one only a bounded part, however many letters there are.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from comanda.messaging.dead_letters import ATTRIBUTE_LIMIT, DeadLetter, DeadLetters, Returned

log = logging.getLogger(__name__)
_BATCH = 10
_REMEMBERED = 1000
_REMEMBERED_SENT = 10_000
_TOLD = 100
# What a letter carries as a dead letter, and not as a message.
_DROPPED = frozenset({"reason", "receive_count", "history"})


@dataclass(frozen=True, kw_only=True, slots=True)
class RedriveOrder:
    """Which letters go back, by whose order, and with what body.

    `ids` names letters; without any, all are considered. `chooses` then decides about each. `edit`
    gives the body to send; what it raises keeps the letter where it is. `hold` (whole seconds, 10
    to 43,200) is how long a letter that stays is hidden if the run dies before handing it back.
    """

    by: str
    ids: frozenset[str] = frozenset()
    chooses: Callable[[DeadLetter], bool] = lambda letter: True  # noqa: ARG005
    edit: Callable[[DeadLetter], str] = lambda letter: letter.body
    hold: timedelta = timedelta(minutes=2)

    def __post_init__(self) -> None:
        if not self.by:
            raise ValueError("a redrive is somebody's order")
        if not timedelta(seconds=10) <= self.hold <= timedelta(hours=12):
            raise ValueError("a letter is held for 10 s to 12 h")


@dataclass(kw_only=True, slots=True)
class RedriveReport:
    """What a run did so far; `kept` tells why, for the first hundred that would not go.

    `undeleted` letters were sent and will be met again: by this run, which then only deletes them,
    or by the next, which sends them a second time. `missing` were asked for by id and not found.
    `is_complete` is false when the run ended
    before it had seen all letters.
    """

    looked_at: int = 0
    sent: int = 0
    skipped: int = 0
    refused: int = 0
    undeleted: int = 0
    is_complete: bool = False
    missing: frozenset[str] = frozenset()
    kept: dict[str, str] = field(default_factory=dict)


class Pace:
    """Let so many letters a second pass; `per_second` is at least 0.1."""

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if per_second < 0.1:
            raise ValueError(f"at least one letter in ten seconds, not {per_second} a second")
        self._per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()

    @property
    def batch(self) -> int:
        """Give how many to take at once, so that none is held for seconds before it is sent."""
        return max(1, min(_BATCH, int(self._per_second)))

    async def spend(self, letters: int) -> None:
        """Wait until the letters may go."""
        now = self._clock()
        start = max(now, self._free_at)
        self._free_at = start + letters / self._per_second
        if start > now:
            await self._sleep(start - now)


async def peek(letters: DeadLetters, *, limit: int = 100) -> list[DeadLetter]:
    """Look at up to `limit` letters and hand them back; receipts in the answer are spent."""
    seen: dict[str, DeadLetter] = {}
    try:
        while len(seen) < limit:
            batch = await letters.take(
                limit=min(_BATCH, limit - len(seen)), hold=timedelta(seconds=30)
            )
            if all(letter.id in seen for letter in batch):
                break
            seen |= {letter.id: letter for letter in batch}
    finally:
        await letters.hand_back(list(seen.values()))
    return list(seen.values())


async def redrive(
    letters: DeadLetters, order: RedriveOrder, *, now: Callable[[], datetime], pace: Pace
) -> RedriveReport:
    """Send back what the order chooses; raise `MessagingUnavailable` when it is out of reach.

    An error or a cancellation hands back what was not sent. Calling again goes on where it ended.
    """
    run = _Run(letters, order, now, pace)
    try:
        await run.go()
    finally:
        await run.hand_back()
    run.report.missing = frozenset(run.missing)
    log.info(
        "dead letters redriven",
        extra={"by": order.by, "sent": run.report.sent, "refused": run.report.refused},
    )
    return run.report


class _Run:
    def __init__(
        self,
        letters: DeadLetters,
        order: RedriveOrder,
        now: Callable[[], datetime],
        pace: Pace,
    ) -> None:
        self._letters = letters
        self._order = order
        self._now = now
        self._pace = pace
        self.missing = set(order.ids)
        # The first that stay: the hold of these runs out first, so meeting nothing but these again
        # means that the run has been around.
        self._stay: dict[str, DeadLetter] = {}
        # Sent by this run, newest last: a letter whose delete was lost is not sent again and again.
        self._sent: dict[str, None] = {}
        self._in_hand: list[DeadLetter] = []
        self.report = RedriveReport()

    async def go(self) -> None:
        while True:
            batch = await self._letters.take(limit=self._pace.batch, hold=self._order.hold)
            if not batch:
                self.report.is_complete = True
                return
            self._in_hand = batch
            again = [letter for letter in batch if letter.id in self._sent]
            if again:
                await self._letters.delete(again)
            self._stay |= {it.id: _stub(it) for it in batch if it.id in self._stay}
            if all(letter.id in self._stay for letter in batch):
                return
            fresh = [it for it in batch if it.id not in self._stay and it.id not in self._sent]
            self.report.looked_at += len(fresh)
            await self._decide(fresh)
            self._in_hand = []
            if self._order.ids and not self.missing:
                self.report.is_complete = True
                return

    async def hand_back(self) -> None:
        back = {letter.id: letter for letter in self._in_hand} | self._stay
        if back:
            await self._letters.hand_back(list(back.values()))

    async def _decide(self, batch: Sequence[DeadLetter]) -> None:
        going: list[Returned] = []
        for letter in batch:
            if not self._is_chosen(letter):
                self.report.skipped += 1
                self._keep(letter)
            elif (returned := self._prepared(letter)) is not None:
                going.append(returned)
        if going:
            await self._pace.spend(len(going))
            await self._send(going)

    def _is_chosen(self, letter: DeadLetter) -> bool:
        if self._order.ids and letter.id not in self._order.ids:
            return False
        self.missing.discard(letter.id)
        return self._order.chooses(letter)

    def _prepared(self, letter: DeadLetter) -> Returned | None:
        try:
            body = self._order.edit(letter)
        except Exception as exc:  # noqa: BLE001  # An editor's fault must not end everybody's run.
            self._refuse(letter, f"edit failed: {type(exc).__name__}: {exc}")
            return None
        if not body:
            self._refuse(letter, "a message cannot be empty")
            return None
        provenance = {
            "redriven_at": self._now().isoformat(timespec="seconds"),
            "redriven_by": self._order.by[:250],
            "redriven_reason": letter.reason[:250],
            "redriven_count": str(_times_redriven(letter) + 1),
        }
        if body != letter.body:
            provenance["redriven_edited"] = "true"
        if len((set(letter.wire) - _DROPPED) | set(provenance)) > ATTRIBUTE_LIMIT:
            self._refuse(letter, "it has too many attributes to carry its provenance")
            return None
        return Returned(letter=letter, body=body, provenance=provenance, dropped=_DROPPED)

    async def _send(self, going: list[Returned]) -> None:
        refused = await self._letters.send_back(going)
        sent = [it.letter for it in going if it.letter.id not in refused]
        for it in going:
            if it.letter.id in refused:
                self._refuse(it.letter, refused[it.letter.id])
        # From here on a letter that cannot be deleted is only sent twice, never lost.
        self.report.sent += len(sent)
        self._sent |= dict.fromkeys(letter.id for letter in sent)
        while len(self._sent) > _REMEMBERED_SENT:
            del self._sent[next(iter(self._sent))]
        self._in_hand = []
        self.report.undeleted += await self._letters.delete(sent)

    def _refuse(self, letter: DeadLetter, reason: str) -> None:
        self.report.refused += 1
        if len(self.report.kept) < _TOLD:
            self.report.kept[letter.id] = reason
        self._keep(letter)

    def _keep(self, letter: DeadLetter) -> None:
        if len(self._stay) < _REMEMBERED:
            self._stay[letter.id] = _stub(letter)


def _stub(letter: DeadLetter) -> DeadLetter:
    """Keep what handing back needs; a thousand bodies may be a gigabyte."""
    return replace(letter, body="", attributes={}, wire={})


def _times_redriven(letter: DeadLetter) -> int:
    times = letter.attributes.get("redriven_count", "0")
    return int(times) if times.isdecimal() and len(times) < 9 else 0
