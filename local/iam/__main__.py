"""`python -m local.iam`: run the laptop under IAM in many ways and write the record of its calls.

It takes about ten minutes and needs what the end-to-end tests need. Each run fails when anything
was denied. The record is `tests/policies_used.json`; tests hold each right to it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from local.iam.record import Entry, entry_of
from local.provision.context import REPOSITORY

USED = REPOSITORY / "tests" / "policies_used.json"
_DEMO = ("-m", "local", "demo", "--iam")
_TESTS = ("-m", "pytest", "-q", "-p", "no:xdist")
# The modules whose people and operators make all programs call all that they ever call.
_MODULES = (
    "walk",
    "console_acts",
    "console_command",
    "archive_whole",
    "orders_notices",
    "orders_outage",
    "screens_road",
    "screens_ops",
)
RUNS: dict[str, tuple[str, ...]] = {
    "load": (*_DEMO, "--orders", "100"),
    "day": (*_DEMO, "--scenario", "day", "--orders", "200"),
    **{it: (*_TESTS, f"tests/e2e/test_{it}.py") for it in _MODULES},
    "rounds": (*_TESTS, "tests/e2e/iam_rounds.py"),
}


def main(arguments: list[str]) -> int:
    """Run what is named, or everything; write the record anew, or add to it what some runs saw."""
    parser = argparse.ArgumentParser(prog="python -m local.iam", description=__doc__)
    parser.add_argument("runs", nargs="*", help=f"add only these: {', '.join(RUNS)}")
    chosen = parser.parse_args(arguments).runs
    if unknown := set(chosen) - set(RUNS):
        parser.error(f"there is no run called {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder) / "seen.jsonl"
        failed = [name for name in chosen or RUNS if not _has_passed(name, seen)]
        entries = _read(seen)
    if failed:
        print(f"these failed, so the record stays as it was: {', '.join(failed)}")
        return 1
    known = map(entry_of, json.loads(USED.read_text())) if chosen else ()
    print(f"{write(USED, {*known, *entries})} kinds of calls in {USED.relative_to(REPOSITORY)}")
    return 0


def write(file: Path, entries: Iterable[Entry]) -> int:
    """Write what was allowed, a line for each kind, in order; give how many there are."""
    allowed = sorted(it for it in entries if it.is_allowed)
    lines = ",\n".join(json.dumps(it.as_data()) for it in allowed)
    file.write_text(f"[\n{lines}\n]\n")
    return len(allowed)


def _has_passed(name: str, seen: Path) -> bool:
    print(f"--- {name}", flush=True)
    environment = {**os.environ, "COMANDA_IAM": "1", "COMANDA_IAM_RECORD": str(seen)}
    command = (sys.executable, *RUNS[name])
    return not subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode


def _read(seen: Path) -> set[Entry]:
    return {entry_of(json.loads(line)) for line in seen.read_text().splitlines()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
