"""One shop's backlog does not hold up another: bus, consumer and PostgreSQL as they are."""

from pathlib import Path

import pytest

from benchmarks.growth.noisy import Case, measure

pytestmark = pytest.mark.timeout(120)


def test_a_quiet_shop_overtakes_the_backlog_of_a_noisy_one(tmp_path: Path) -> None:
    noisy = Case(name="beside a backlog", backlog=10_000, quiet=10, pause=0)

    waits = measure(noisy, folder=tmp_path)

    # Its ten messages were handled one after the other, and the backlog is still there.
    assert waits.left > 0


def test_without_groups_it_would_wait_for_the_whole_backlog(tmp_path: Path) -> None:
    before = Case(name="no groups", backlog=3_000, quiet=2, pause=0, is_grouped=False)

    waits = measure(before, folder=tmp_path)

    # Only what was in hand with them is left: a window at most.
    assert waits.left < 600
