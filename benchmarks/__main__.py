"""Measure everything and write the one report: `python -m benchmarks [--quick]`, or `make bench`.

Sections run one after the other, each command in a process of its own; one that fails or takes too
long is said to have failed, and the others go on. The report is written anew after each section.
The whole run writes `docs/performance.md`; any other writes `.comanda/bench/performance.md`, for a
part would look like the whole. Leaves with 1 when something failed or a bound is broken.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.findings import VARIABLE, told
from benchmarks.page import Chapter, page, setting
from benchmarks.sections import SECTIONS, Section
from benchmarks.workers.environments import STATE
from benchmarks.workers.processes import ROOT, running

PAGE = ROOT / "docs" / "performance.md"
_FALL = "Traceback (most recent call last)"
_FORMS = {True: "the quick form, which is short and therefore noisy", False: "the whole"}


def main(arguments: Sequence[str]) -> int:
    """Read the arguments, run the sections, write the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="all sections, three minutes")
    parser.add_argument("--only", nargs="+", choices=[it.name for it in SECTIONS], default=())
    parser.add_argument("--page", type=Path, help="write the report here")
    chosen = parser.parse_args(arguments)
    is_part = chosen.quick or bool(chosen.only)
    file = chosen.page or (STATE / PAGE.name if is_part else PAGE)
    file.parent.mkdir(parents=True, exist_ok=True)
    here = setting(at=datetime.now(UTC), form=_FORMS[chosen.quick])
    chapters: list[Chapter] = []
    for section in SECTIONS:
        if chosen.only and section.name not in chosen.only:
            continue
        chapters.append(run(section, is_quick=chosen.quick))
        file.write_text(page(chapters, here))
        print(_summary(chapters[-1]), flush=True)
    print(f"report: {file}")
    return 0 if all(chapter.is_good for chapter in chapters) else 1


def run(section: Section, *, is_quick: bool, logs: Path = STATE / "logs") -> Chapter:
    """Run all commands of a section, whatever becomes of each."""
    logs.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    log = logs / f"bench-{section.name}.log"
    log.write_bytes(b"")
    with tempfile.TemporaryDirectory(prefix="comanda-bench-") as folder:
        file = Path(folder) / "findings"
        commands = section.quick if is_quick else section.whole
        faults = [
            f"`{' '.join(command)}` {fault}"
            for command in commands
            if (fault := _fault(command, findings=file, log=log, seconds=section.seconds))
        ]
        return Chapter(
            section=section,
            findings=told(file),
            faults=faults,
            seconds=time.monotonic() - began,
        )


def _fault(command: Sequence[str], *, findings: Path, log: Path, seconds: float) -> str:
    """Run one command; say what went wrong, or nothing. A broken bound is not a failure."""
    known, written = len(told(findings)), log.stat().st_size
    environment = {**os.environ, VARIABLE: str(findings)}
    with running((sys.executable, "-m", *command), env=environment, log=log) as process:
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"was not done after {seconds:.0f} s"
    is_all_kept = all(finding.is_kept for finding in told(findings)[known:])
    said = log.read_bytes()[written:].decode(errors="replace").strip()
    # Whoever breaks a bound leaves with 1; whoever falls over, too, and says so.
    if status and (is_all_kept or _FALL in said):
        return f"left with {status}: {said.splitlines()[-1][:200] if said else 'no word'}"
    return ""


def _summary(chapter: Chapter) -> str:
    broken = [f"{it.what} {it.ratio:.2f}" for it in chapter.findings if not it.is_kept]
    trouble = "; ".join([*chapter.faults, *broken]) or "good"
    lines = len(chapter.findings)
    return f"{chapter.section.name:<10}{lines:>4} lines {chapter.seconds:>5.0f} s  {trouble}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
