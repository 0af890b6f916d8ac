"""What a profile tells: whose code ran, and what a mend is worth."""

import pytest

from benchmarks.profile.__main__ import Run, shares, worths
from benchmarks.profile.sampling import room_of, rooms_of


@pytest.mark.parametrize(
    ("frame", "room"),
    [
        ("AsyncCursor.execute (psycopg/cursor_async.py:113)", "psycopg"),
        ("Charge.book (workers/payments/model.py:40)", "workers.payments"),
        ("Charge.book (/srv/comanda/workers/payments/model.py:40)", "workers.payments"),
        ("utc_now (comanda/clock.py:9)", "comanda.clock"),
        ("Runner.run (asyncio/runners.py:118)", "python"),
        ("_AsyncGeneratorContextManager.__aexit__ (contextlib.py:217)", "python"),
        ("__create_fn__.<locals>.__init__ (<string>:3)", "python"),
        ("run (/usr/lib/python3/site-packages/uvicorn/main.py:632)", "uvicorn"),
    ],
)
def test_a_frame_is_in_the_room_of_whose_code_it_is(frame: str, room: str) -> None:
    assert room_of(frame) == room


def test_a_stack_counts_for_the_room_of_its_last_frame() -> None:
    lines = [
        "run (asyncio/runners.py:118);take (workers/orders/api.py:9);post (aiohttp/client.py:1) 3",
        "run (asyncio/runners.py:118) 1",
    ]

    assert rooms_of(lines) == {"aiohttp": 0.75, "python": 0.25}


def test_nothing_sampled_is_no_share() -> None:
    assert rooms_of([]) == {}


def test_a_share_is_told_in_milliseconds_of_an_order() -> None:
    rooms = {"orders": {"aiohttp": 0.75, "python": 0.05}, "auth": {"python": 1.0}}

    told = shares(rooms, cpu={"orders": 12.0, "auth": 0.4})

    # Small rooms and small processes are left out.
    assert [(it.what, it.this, it.ratio) for it in told] == [
        ("where the CPU of orders goes", ("aiohttp", 9.0), 0.75)
    ]


def test_a_mend_that_costs_more_than_its_lack_breaks_its_bound() -> None:
    def run(ms: float) -> Run:
        return Run(cpu={"orders": ms, "auth": 1.0}, rooms={})

    kept, broken = worths(
        [run(9), run(11), run(10)], {"calls": [run(21)], "collector": [run(8), run(6)]}
    )

    assert (kept.ratio, kept.is_kept) == (0.5, True)
    assert (broken.other[1], broken.is_kept) == (8.0, False)
