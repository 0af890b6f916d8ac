"""Do the tests notice? `make mutation`, or `python -m tests.mutation [--sample N] [--jobs N]`.

Each mutant of the money rules lives in a forked process, which runs the tests that should notice:
the unit tests of the rules first, then the suites of payments on the store in memory. Survivors
are printed; one that changes nothing anybody could see stands in `EXPLAINED` with its reason.
Leaves with 1 when another survives.
"""

import argparse
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence

import pytest

from tests.mutants import Mutant, mutants_of
from workers.payments import booking, decisions, facts, moves, strays, truth

MODULES = (facts, moves, decisions, truth, booking, strays)
_QUIET = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly", "-n", "0")
STAGES: tuple[tuple[str, ...], ...] = (
    ("tests/unit/test_payments_facts.py", "tests/unit/test_payments_rules.py"),
    (
        "tests/contract/test_payments_truth.py",
        "tests/contract/test_payments_refunds.py",
        "tests/contract/test_payments_store.py",
        "tests/contract/test_payments_worker_cases.py",
        "-k",
        "memory",
    ),
)
# A mutant that does not come to its end has been noticed.
_SECONDS = 60.0
EXPLAINED: dict[str, str] = {}


def all_mutants() -> list[Mutant]:
    """List the mutants of all modules."""
    return [mutant for module in MODULES for mutant in mutants_of(module)]


def survivors(mutants: Sequence[Mutant | None], *, jobs: int) -> list[Mutant | None]:
    """Give those that no test noticed; `None` is no fault at all, which must survive."""
    waiting, living = deque(mutants), dict[int, tuple[Mutant | None, float]]()
    found: list[Mutant | None] = []
    while waiting or living:
        while waiting and len(living) < jobs:
            mutant = waiting.popleft()
            living[_fork(mutant)] = (mutant, time.monotonic() + _SECONDS)
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended in living:
            mutant, _ = living.pop(ended)
            if os.waitstatus_to_exitcode(status) == 0:
                found.append(mutant)
                print(f"survives: {mutant.name if mutant else 'no fault'}", flush=True)
            continue
        for child, (_, deadline) in living.items():
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)  # It does not end, and so it was noticed.
        time.sleep(0.01)
    return found


def _fork(mutant: Mutant | None) -> int:
    child = os.fork()
    if child:
        return child
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        if mutant is not None:
            mutant.apply()
        for stage in STAGES:
            if pytest.main([*stage, *_QUIET]) != 0:
                os._exit(1)
    except BaseException:  # noqa: BLE001  # Whatever it is, the fault was noticed.
        os._exit(1)
    os._exit(0)


def main() -> int:
    """Try all mutants, or every so-manieth; return 1 when one survives unexplained."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--sample", type=int, help="so many, evenly spread")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=[""], help="names that contain one of these")
    chosen = parser.parse_args()
    mutants = [mutant for mutant in all_mutants() if any(o in mutant.name for o in chosen.only)]
    if chosen.sample:
        mutants = mutants[:: max(1, len(mutants) // chosen.sample)]
    if survivors([None], jobs=1) != [None]:
        print("the tests fail without a fault: nothing can be learned from them")
        return 2
    lived = survivors(mutants, jobs=chosen.jobs)
    found = [m.name for m in lived if m is not None and m.name not in EXPLAINED]
    print(f"{len(mutants)} mutants, {len(found)} survive unexplained")
    for name in found:
        print(f"  {name}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
