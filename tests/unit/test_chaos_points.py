"""Points at which the fewest died come first; a part has one fate at a time."""

import asyncio
import random
import signal
from pathlib import Path

from local.chaos.doom import Doom
from local.chaos.points import Fates

DICE = random.Random(1)


async def obedient(doom: Doom, *, until: asyncio.Event) -> None:
    """Be a worker that meets every point all the time."""
    while not until.is_set():
        if (told := doom.ordained()) is not None:
            doom.withdraw()
            doom.note_struck(min(told[0]))
        await asyncio.sleep(0.005)


async def test_every_point_is_struck_before_any_is_struck_again(tmp_path: Path) -> None:
    doom = Doom(tmp_path / "w")
    doom.note_seen(["at a", "past a", "at b"])
    fates, over = Fates(dooms={"w": doom}), asyncio.Event()
    worker = asyncio.create_task(obedient(doom, until=over))

    fell = [await fates.fell("w", sent=signal.SIGKILL, dice=DICE, within=5) for _ in range(3)]
    over.set()
    await worker

    assert fell == [True, True, True]
    assert sorted(doom.struck()) == ["at a", "at b", "past a"]
    assert [(it.known, it.spared) for it in fates.told()] == [(3, ())]


async def test_a_point_that_nobody_meets_is_withdrawn_and_told(tmp_path: Path) -> None:
    doom = Doom(tmp_path / "w")
    doom.note_seen(["at a"])
    fates = Fates(dooms={"w": doom})

    assert not await fates.fell("w", sent=signal.SIGKILL, dice=DICE, within=0.1)

    assert doom.ordained() is None
    assert fates.told()[0].spared == ("at a",)


async def test_after_nobody_came_past_what_is_left_all_points_are_good_again(
    tmp_path: Path,
) -> None:
    doom = Doom(tmp_path / "w")
    doom.note_seen(["at a", "at a start"])
    doom.note_struck("at a")
    fates = Fates(dooms={"w": doom})
    first = asyncio.create_task(fates.fell("w", sent=signal.SIGKILL, dice=DICE, within=0.1))
    await asyncio.sleep(0)
    left = doom.ordained()
    await first

    assert left == ({"at a start"}, signal.SIGKILL)
    assert fates._able("w") == ["at a", "at a start"]


async def test_a_worker_whose_points_nobody_knows_is_left_alone(tmp_path: Path) -> None:
    fates = Fates(dooms={"w": Doom(tmp_path / "w")})

    assert not await fates.fell("w", sent=signal.SIGKILL, dice=DICE, within=5)


async def test_most_deaths_are_where_a_message_is_in_hand(tmp_path: Path) -> None:
    doom = Doom(tmp_path / "w")
    idle = [f"at workers.runtime.service._repeat:{line}" for line in range(50)]
    doom.note_seen([*idle, "past workers.runtime.group_commit.GroupCommit._commit:130 in aexit"])
    fates, dice = Fates(dooms={"w": doom}), random.Random(7)

    ordained = []
    for _ in range(40):
        falling = asyncio.create_task(fates.fell("w", sent=signal.SIGKILL, dice=dice, within=0.01))
        await asyncio.sleep(0)
        ordained.append(doom.ordained())
        await falling

    alone = [told for told in ordained if told is not None and len(told[0]) == 1]
    assert 20 <= len(alone) < 40
