"""Killed at every boundary, both stores keep exactly-once effects: the short form.

The long form is `make crash`. It runs in a process of its own, for it forks its workers.
"""

import random
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.bus_server import ROOT
from tests.chaos.crash import World, faults, filled
from tests.chaos.crash_stores import Books

SEED = random.SystemRandom().randrange(10**6)


def crash(*arguments: str) -> str:
    command = (sys.executable, "-m", "tests.chaos.crash", *arguments)
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert run.returncode == 0, f"{' '.join(arguments)}: {run.stderr[-2000:]}"
    return run.stdout


@pytest.mark.parametrize("store", ["postgres", "dynamodb"])
def test_a_kill_at_any_boundary_leaves_every_effect_there_once(store: str) -> None:
    told = crash("--store", store, "--fates", "crash")

    found = re.search(r"crash at (\d+) boundaries, shared=(\d+)", told)
    assert found, told
    boundaries, shared = map(int, found.groups())
    # Fewer would mean that the trial goes past the calls that it is about.
    assert boundaries >= 25
    assert shared > 0 or store == "dynamodb"


@pytest.mark.parametrize("store", ["postgres", "dynamodb"])
def test_an_outage_or_a_stop_at_a_boundary_leaves_every_effect_there_once(store: str) -> None:
    told = crash("--store", store, "--step", "12", "--fates", "cut", "stop", "stop twice")

    assert told.count("all well") == 3


@pytest.mark.parametrize("store", ["postgres", "dynamodb"])
def test_a_hundred_messages_survive_ends_at_random(store: str) -> None:
    told = crash("--store", store, "--messages", "100", "--crashes", "6", "--seed", str(SEED))

    assert f"seed={SEED}: all well" in told


@pytest.fixture
def world() -> World:
    """Give a world after its end: one message, handled and published."""
    world, _ = filled(2, rng=random.Random(1), doubled=0.0)
    world.queue.entries.clear()
    world.published = ["e-1"]
    return world


ONCE = Books(effects=[("c", "e-1")], inbox={"c"}, outbox=0)


@pytest.mark.parametrize(
    ("books", "published", "named"),
    [
        (ONCE, ["e-1", "e-1"], []),
        (replace(ONCE, effects=ONCE.effects * 2), ["e-1"], ["effects are doubled"]),
        (replace(ONCE, effects=[]), [], ["effects are missing"]),
        (ONCE, [], ["an event was not published"]),
        (ONCE, ["e-1", "e-2"], ["an event was published that never happened"]),
        (replace(ONCE, inbox=set()), ["e-1"], ["the inbox does not tell"]),
        (replace(ONCE, outbox=1), ["e-1"], ["the outbox is not empty"]),
    ],
)
def test_the_trial_names_what_is_lost_doubled_or_invented(
    world: World, books: Books, published: list[str], named: list[str]
) -> None:
    _, (cause, _) = filled(2, rng=random.Random(1), doubled=0.0)
    world.published = published

    found = faults(world, [replace(cause, id="c")], books)

    assert len(found) == len(named)
    assert all(text.startswith(name) for text, name in zip(found, named, strict=True))
