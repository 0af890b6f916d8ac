"""What goes back, with what on it, at what pace, and what becomes of the rest."""

import asyncio
from datetime import timedelta

import pytest

from comanda.messaging.dead_letters import DeadLetter
from comanda.messaging.redrive import Pace, RedriveOrder, peek, redrive
from tests.redrive_letters import NOW, InMemoryDeadLetters, holding, letter, now

FAST = 1_000_000.0
EVERYTHING = RedriveOrder(by="ana")


async def test_all_letters_go_back_and_none_stays() -> None:
    letters = holding(*(letter(n) for n in range(25)))

    report = await redrive(letters, EVERYTHING, now=now, pace=Pace(FAST))

    assert {it.body for it in letters.sent} == {f"body {n}" for n in range(25)}
    assert not letters.visible
    assert not letters.in_flight
    assert (report.sent, report.looked_at, report.is_complete) == (25, 25, True)


async def test_a_letter_carries_where_it_comes_from() -> None:
    letters = holding(letter(1, reason="no such order", receive_count="3", redriven_count="1"))

    await redrive(letters, EVERYTHING, now=now, pace=Pace(FAST))

    (returned,) = letters.sent
    assert returned.provenance == {
        "redriven_at": NOW.isoformat(),
        "redriven_by": "ana",
        "redriven_reason": "no such order",
        "redriven_count": "2",
    }
    assert returned.dropped == {"reason", "receive_count", "history"}


async def test_a_letter_that_the_queue_gave_up_on_says_so() -> None:
    letters = holding(letter(1))

    await redrive(letters, EVERYTHING, now=now, pace=Pace(FAST))

    assert letters.sent[0].provenance["redriven_reason"] == "received too often"


async def test_only_the_letters_named_go_and_the_search_ends_with_them() -> None:
    letters = holding(*(letter(n) for n in range(100)))
    order = RedriveOrder(by="ana", ids=frozenset({"m3", "m14"}))

    report = await redrive(letters, order, now=now, pace=Pace(FAST))

    assert {it.letter.id for it in letters.sent} == {"m3", "m14"}
    assert letters.taken == 20
    assert len(letters.visible) == 98
    assert report.is_complete


async def test_letters_named_and_not_found_are_told() -> None:
    order = RedriveOrder(by="ana", ids=frozenset({"m1", "gone"}))

    report = await redrive(holding(letter(1), letter(2)), order, now=now, pace=Pace(FAST))

    assert report.missing == {"gone"}
    assert report.sent == 1


async def test_an_emptied_letter_stays() -> None:
    letters = holding(letter(1))
    order = RedriveOrder(by="ana", edit=lambda it: "")

    report = await redrive(letters, order, now=now, pace=Pace(FAST))

    assert report.kept == {"m1": "a message cannot be empty"}
    assert len(letters.visible) == 1


@pytest.mark.parametrize(("by", "seconds"), [("", 120), ("ana", 0.5), ("ana", 43_201)])
def test_an_order_by_nobody_or_with_a_senseless_hold_is_refused(by: str, seconds: float) -> None:
    with pytest.raises(ValueError):
        RedriveOrder(by=by, hold=timedelta(seconds=seconds))


async def test_letters_that_are_not_chosen_are_there_at_once() -> None:
    letters = holding(*(letter(n) for n in range(10)))
    order = RedriveOrder(by="ana", chooses=lambda it: it.body.endswith("7"))

    report = await redrive(letters, order, now=now, pace=Pace(FAST))

    assert [it.letter.id for it in letters.sent] == ["m7"]
    assert len(letters.visible) == 9
    assert (report.sent, report.skipped) == (1, 9)


async def test_an_edited_body_goes_back_and_is_marked() -> None:
    letters = holding(letter(1))
    order = RedriveOrder(by="ana", edit=lambda it: it.body.replace("body", "mended"))

    await redrive(letters, order, now=now, pace=Pace(FAST))

    assert letters.sent[0].body == "mended 1"
    assert letters.sent[0].provenance["redriven_edited"] == "true"


async def test_an_editor_that_fails_keeps_only_its_letter() -> None:
    def edit(found: DeadLetter) -> str:
        if found.id == "m1":
            raise ValueError("no JSON")
        return found.body

    letters = holding(letter(1), letter(2))

    report = await redrive(letters, RedriveOrder(by="ana", edit=edit), now=now, pace=Pace(FAST))

    assert [it.letter.id for it in letters.sent] == ["m2"]
    assert report.kept == {"m1": "edit failed: ValueError: no JSON"}
    assert [it.id for it in letters.visible] == ["m1"]


async def test_a_letter_without_room_for_its_provenance_stays() -> None:
    letters = holding(letter(1, **{f"a{n}": "x" for n in range(6)}))

    report = await redrive(letters, EVERYTHING, now=now, pace=Pace(FAST))

    assert report.kept == {"m1": "it has too many attributes to carry its provenance"}
    assert len(letters.visible) == 1


async def test_a_refused_letter_is_not_deleted() -> None:
    letters = holding(letter(1), letter(2))
    letters.refuses = lambda it: it.id == "m1"

    report = await redrive(letters, EVERYTHING, now=now, pace=Pace(FAST))

    assert [it.id for it in letters.visible] == ["m1"]
    assert (report.sent, report.refused, report.kept) == (1, 1, {"m1": "Busy"})


async def test_a_letter_that_cannot_be_deleted_is_sent_once_by_one_run() -> None:
    class Forgetful(InMemoryDeadLetters):
        async def take(self, *, limit: int, hold: timedelta) -> list[DeadLetter]:
            if not self.visible and self.taken < 30:
                self.let_holds_run_out()
            return await super().take(limit=limit, hold=hold)

    letters = Forgetful(visible=holding(letter(1), letter(2)).visible)
    letters.deletes = lambda it: it.id == "m2"

    report = await redrive(letters, EVERYTHING, now=now, pace=Pace(FAST))

    assert sorted(it.letter.id for it in letters.sent) == ["m1", "m2"]
    assert (report.sent, report.undeleted) == (2, 1)


async def test_a_run_that_meets_only_what_it_left_behind_has_been_around() -> None:
    class Impatient(InMemoryDeadLetters):
        async def take(self, *, limit: int, hold: timedelta) -> list[DeadLetter]:
            if not self.visible:
                self.let_holds_run_out()
            return await super().take(limit=limit, hold=hold)

    letters = Impatient(visible=holding(*(letter(n) for n in range(30))).visible)
    order = RedriveOrder(by="ana", chooses=lambda it: False)

    report = await asyncio.wait_for(redrive(letters, order, now=now, pace=Pace(FAST)), 5)

    assert (report.looked_at, report.is_complete) == (30, False)


async def test_a_cancelled_run_hands_back_what_it_holds() -> None:
    async def never(seconds: float) -> None:
        await asyncio.Event().wait()

    letters = holding(*(letter(n) for n in range(20)))
    pace = Pace(10, clock=lambda: 0.0, sleep=never)
    task = asyncio.create_task(redrive(letters, EVERYTHING, now=now, pace=pace))
    while len(letters.sent) < 10 or not letters.in_flight:
        await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(letters.sent) == 10
    assert len(letters.visible) == 10


async def test_the_pace_is_kept() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    letters = holding(*(letter(n) for n in range(50)))

    await redrive(letters, EVERYTHING, now=now, pace=Pace(5, clock=lambda: sum(slept), sleep=sleep))

    # The first batch goes at once, the other 45 letters at five a second.
    assert sum(slept) == pytest.approx(9)
    assert max(slept) <= 1


@pytest.mark.parametrize("per_second", [0, -1, 0.01])
def test_a_pace_that_never_ends_is_refused(per_second: float) -> None:
    with pytest.raises(ValueError, match="ten seconds"):
        Pace(per_second)


async def test_looking_gives_what_is_there_and_leaves_it_there() -> None:
    letters = holding(*(letter(n) for n in range(25)))

    seen = await peek(letters, limit=12)

    assert [it.id for it in seen] == [f"m{n}" for n in range(12)]
    assert len(letters.visible) == 25
    assert not letters.in_flight


async def test_looking_for_more_than_there_is_ends() -> None:
    assert len(await peek(holding(letter(1)), limit=100)) == 1
