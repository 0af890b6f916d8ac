"""A few faults in the money rules on every run; `make mutation` tries them all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(150)
def test_a_fault_in_the_money_rules_is_noticed() -> None:
    # Forks of a process that measures coverage would write over each other's records.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-m", "tests.mutation", "--sample", "8", "--jobs", "1"]
    command += ["--only", "decisions.", "strays.", "booking."]

    tried = subprocess.run(
        command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=140, check=False
    )

    assert tried.returncode == 0, tried.stdout + tried.stderr
