"""A short run of `make chaos`: a whole laptop of its own, broken for a while, then audited."""

from pathlib import Path

import pytest

from local.chaos.report import write_proof
from local.chaos.running import Trial, run_trial

pytestmark = pytest.mark.timeout(420)


async def test_the_books_agree_and_no_history_is_impossible_after_a_storm(tmp_path: Path) -> None:
    trial = Trial(seed=20_261_121, seconds=20, people=5, root=tmp_path)

    outcome = await run_trial(trial)
    write_proof(outcome, tmp_path / "proof.md")

    page = (tmp_path / "proof.md").read_text()
    assert outcome.is_sound, page
    assert len(outcome.verdict.statuses) > 10
    assert outcome.errands
    assert sum(outcome.faults.values()) > 5
    # Workers ran with points of death in them, and whoever paid was served in the end.
    assert sum(worker.known for worker in outcome.points) > 100, page
    assert "| orders made and not paid for, or paid for and not made | 0 |" in page
    assert "| violations of a money invariant | 0 |" in page
    assert "| orders for which something was forgotten | 0 |" in page
