"""Send dead letters back or discard them: chosen, bounded, by somebody, for a reason.

Whoever works for a shop meets the letters of that shop alone; only without a shop, from the
command line and with the stage's own keys, are all seen, those that nobody can read among them.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from comanda.clock import utc_now
from comanda.messaging.dead_letters import DeadLetter, DeadLetters, Returned
from comanda.messaging.redrive import Pace, RedriveOrder, RedriveReport, peek, redrive
from console.queues.letters import ReadLetter, edited_body, read_letter
from console.queues.noting import Note, Notebook, edits

log = logging.getLogger("comanda.operators")
PER_SECOND = 50.0
# A page waits for a run, so a run ends after so many letters and is begun again.
MOST_AT_ONCE = 500
# How many events an act names; a run of thousands says their number.
_NAMED = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Which letters: of a shop (all without one), of a reason, a type, or named ones."""

    shop: str | None = None
    ids: frozenset[str] = frozenset()
    reason: str = ""
    type: str = ""

    def takes(self, letter: DeadLetter) -> bool:
        """Tell whether a letter is meant."""
        found = read_letter(letter)
        return (
            (self.shop is None or found.shop == self.shop)
            and (not self.ids or found.id in self.ids)
            # A form breaks lines in its own way.
            and (not self.reason or found.reason.split() == self.reason.split())
            and (not self.type or found.type == self.type)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """Who does it to the letters of which context, and why."""

    context: str
    by: str
    why: str

    def __post_init__(self) -> None:
        if not self.by.strip() or not self.why.strip():
            raise ValueError("somebody does this, for a reason")


async def read_letters(
    letters: DeadLetters, choice: Choice, *, limit: int = MOST_AT_ONCE
) -> list[ReadLetter]:
    """Look at up to `limit` letters and give those that are meant, the oldest first."""
    seen = await peek(letters, limit=limit)
    found = [read_letter(it) for it in seen if choice.takes(it)]
    return sorted(found, key=lambda it: it.since)


async def send_back(
    letters: DeadLetters,
    choice: Choice,
    *,
    act: Act,
    notebook: Notebook,
    most: int = MOST_AT_ONCE,
    body: str | None = None,
    pace: float = PER_SECOND,
) -> RedriveReport:
    """Send back what is chosen; `body` is what a single letter shall say instead."""

    def edit(letter: DeadLetter) -> str:
        return letter.body if body is None else edited_body(letter, body)

    told = _Told(letters, act=act, verb="sent back")
    async with _noted(told, choice, notebook) as reports:
        reports.append(await _run(told, choice, act, most=most, edit=edit, pace=pace))
    return reports[0]


async def discard(
    letters: DeadLetters,
    choice: Choice,
    *,
    act: Act,
    notebook: Notebook,
    most: int = MOST_AT_ONCE,
    pace: float = PER_SECOND,
) -> RedriveReport:
    """Delete what is chosen for good; the report counts what is gone as `sent`."""
    told = _Told(_NowhereToGo(letters), act=act, verb="discarded")
    async with _noted(told, choice, notebook) as reports:
        reports.append(await _run(told, choice, act, most=most, edit=_as_it_is, pace=pace))
    return reports[0]


@asynccontextmanager
async def _noted(
    told: "_Told", choice: Choice, notebook: Notebook
) -> AsyncIterator[list[RedriveReport]]:
    """Note an act, let it be done, and note what its report says; a run that breaks stays open."""
    act_id = await notebook.begin(told.note(choice))
    reports: list[RedriveReport] = []
    yield reports
    (report,) = reports
    after = {"letters": report.sent, "refused": report.refused, "whole": report.is_complete}
    await notebook.end(act_id, {**after, **told.outcome})


async def _run(
    letters: DeadLetters,
    choice: Choice,
    act: Act,
    *,
    most: int,
    edit: Callable[[DeadLetter], str],
    pace: float,
) -> RedriveReport:
    order = RedriveOrder(by=act.by, ids=choice.ids, chooses=choice.takes, edit=edit)
    bounded = _Bounded(letters, most=most)
    report = await redrive(bounded, order, now=utc_now, pace=Pace(pace))
    report.is_complete = report.is_complete and not bounded.is_cut
    return report


class _Wrapped:
    """Dead letters that do one thing in another way."""

    def __init__(self, letters: DeadLetters) -> None:
        self._letters = letters

    async def take(self, *, limit: int, hold: timedelta) -> list[DeadLetter]:
        return await self._letters.take(limit=limit, hold=hold)

    async def send_back(self, letters: Sequence[Returned]) -> dict[str, str]:
        return await self._letters.send_back(letters)

    async def delete(self, letters: Sequence[DeadLetter]) -> int:
        return await self._letters.delete(letters)

    async def hand_back(self, letters: Sequence[DeadLetter]) -> None:
        await self._letters.hand_back(letters)


class _Bounded(_Wrapped):
    """Dead letters of which no more than so many are met."""

    def __init__(self, letters: DeadLetters, *, most: int) -> None:
        super().__init__(letters)
        self._left = most
        self.is_cut = False

    async def take(self, *, limit: int, hold: timedelta) -> list[DeadLetter]:
        if self._left <= 0:
            self.is_cut = True
            return []
        taken = await super().take(limit=min(limit, self._left), hold=hold)
        self._left -= len(taken)
        return taken


class _Told(_Wrapped):
    """Dead letters of which each that goes is told to the log, and to the act, with who and why."""

    def __init__(self, letters: DeadLetters, *, act: Act, verb: str) -> None:
        super().__init__(letters)
        self._act = act
        self._verb = verb
        self._edits: dict[str, str] = {}
        self._events: list[str] = []

    @property
    def outcome(self) -> dict[str, str]:
        """Give which events went, and what was edited in them."""
        named = ", ".join(self._events[:_NAMED])
        more = f" and {len(self._events) - _NAMED} more" if len(self._events) > _NAMED else ""
        return {"events": named + more, **self._edits}

    def note(self, choice: Choice) -> Note:
        """Say what is about to be done, and to which letters."""
        chosen = {"reason": choice.reason[:200], "type": choice.type, "shop": choice.shop}
        ids = {"ids": ", ".join(sorted(choice.ids)[:_NAMED])}
        return Note(
            what=f"dead-letters.{self._verb.replace(' ', '-')}",
            whom=self._act.context,
            why=self._act.why,
            operator=self._act.by[:128],
            before={name: value for name, value in (chosen | ids).items() if value},
        )

    async def send_back(self, letters: Sequence[Returned]) -> dict[str, str]:
        refused = await super().send_back(letters)
        for it in letters:
            if it.letter.id in refused:
                continue
            found = read_letter(it.letter)
            facts = {
                "act": self._verb,
                "context": self._act.context,
                "by": self._act.by,
                "why": self._act.why,
                "message_id": found.id,
                "event_id": found.event_id,
                "event_type": found.type,
                "shop_id": found.shop,
                "is_edited": it.body != it.letter.body,
            }
            log.info("dead letter", extra=facts)
            # A letter may hold anything, also an id without end.
            self._events.append((found.event_id or found.id)[:64])
            if it.body != it.letter.body:
                self._edits |= edits(it.letter.body, it.body)
        return refused


class _NowhereToGo(_Wrapped):
    """Dead letters that go nowhere when they are sent back, so that they are only deleted."""

    async def take(self, *, limit: int, hold: timedelta) -> list[DeadLetter]:
        # Without its attributes no letter has too many of them to be let go.
        return [replace(it, wire={}) for it in await super().take(limit=limit, hold=hold)]

    async def send_back(self, letters: Sequence[Returned]) -> dict[str, str]:  # noqa: ARG002  # Nowhere.
        return {}


def _as_it_is(letter: DeadLetter) -> str:
    return letter.body
