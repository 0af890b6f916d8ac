"""A few faults in the rules on every run; `make mutation` tries them all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tried(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Forks of a process that measures coverage would write over each other's records.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-m", "tests.mutation", "--jobs", "1", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=140, check=False
    )


@pytest.mark.timeout(150)
def test_a_fault_in_the_rules_is_noticed() -> None:
    sample = tried("--sample", "25")

    assert sample.returncode == 0, sample.stdout + sample.stderr


@pytest.mark.timeout(150)
def test_a_fault_that_changes_nothing_is_seen_to_survive() -> None:
    harmless = tried("--only", "attempts.next_try: 12 => 13")

    assert harmless.stdout == "1 mutants: 1 explained, 0 survive\n", harmless.stderr
