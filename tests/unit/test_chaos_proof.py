"""Each command writes its own part of the proof, and leaves the other one's."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from local.chaos.points import Struck
from local.chaos.report import write_proof
from local.chaos.running import Outcome, Trial
from local.chaos.settling import Verdict

VERDICT = Verdict(offenders=(), statuses={}, dead=(), redriven=0, open_cases=0)
STORM = Outcome(
    trial=Trial(seed=1, seconds=20),
    faults=Counter({"kill": 3}),
    missed=Counter(),
    orders=7,
    by_status=Counter(),
    given_up=(),
    broken=(),
    verdict=VERDICT,
    points=(Struck(part="orders-worker", known=9, spared=("at a:1",)),),
)
HUNT = replace(
    STORM,
    trial=Trial(seed=2, seconds=720, hunts=True),
    deaths=8,
    errands=Counter({"refund": 2}),
)


def test_each_command_writes_its_own_part(tmp_path: Path) -> None:
    page = tmp_path / "proof.md"

    write_proof(STORM, page)
    write_proof(HUNT, page)
    both = page.read_text()
    write_proof(replace(STORM, orders=8), page)
    anew = page.read_text()

    assert "| orders-worker | 9 | 8 | 1 |" in both
    assert "- orders-worker, not come to again: at a:1" in both
    assert "| errands: refund | 2 |" in both
    assert both.count("## Every line") == anew.count("## Every line") == 1
    assert "| orders that a client was told of | 8 |" in anew
    assert anew.partition("## Every line")[2] == both.partition("## Every line")[2]
    write_proof(HUNT, page)
    assert page.read_text() == anew


def test_an_order_that_was_forgotten_breaks_the_promise() -> None:
    forgotten = replace(VERDICT, stuck=("o is unpaid for ever: no charge was made",))

    assert STORM.is_sound
    assert not replace(STORM, verdict=forgotten).is_sound
