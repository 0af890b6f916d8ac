"""The one report: ratios by section, what failed, and where and when it was."""

import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.findings import Finding
from benchmarks.sections import Section
from benchmarks.workers.processes import ROOT, busy_cores
from benchmarks.workers.report import machine

_HEAD = "| what | this | beside | unit | ratio | bound |\n|---|--:|--:|---|--:|---|"
_INTRO = """# Performance

Written by `make bench`; do not edit. Every line is a ratio of two figures of one run: {form}.
Read the ratios; absolute figures belong to this machine in these minutes, which may be shared. A
ratio with a bound is held to it, and the command leaves with 1 when one is broken. What each
benchmark does, and what it does not show, is in [benchmarks/README.md](../benchmarks/README.md).
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chapter:
    """What became of a section; `faults` are its commands that failed, and why."""

    section: Section
    findings: Sequence[Finding]
    faults: Sequence[str]
    seconds: float

    @property
    def is_good(self) -> bool:
        """Tell whether all was measured and every bound is kept."""
        return not self.faults and all(finding.is_kept for finding in self.findings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """Where and when it was measured, and how many cores others kept busy when it began."""

    at: datetime
    commit: str
    form: str
    busy: float


def setting(*, at: datetime, form: str) -> Setting:
    """Look at this machine and this tree."""
    return Setting(at=at, commit=_commit(), form=form, busy=busy_cores())


def page(chapters: Sequence[Chapter], here: Setting) -> str:
    """Render the whole report."""
    parts = [_INTRO.format(form=here.form), *(_chapter(chapter) for chapter in chapters)]
    python = f"Python {platform.python_version()}"
    parts.append(
        f"Measured {here.at:%Y-%m-%d %H:%M} UTC at commit {here.commit}, on {machine()}, {python};"
        f" others kept {here.busy:.1f} cores busy when it began.\n"
    )
    return "\n".join(parts)


def _chapter(chapter: Chapter) -> str:
    lines = [f"## {chapter.section.title}", "", chapter.section.shows, ""]
    lines += [f"**Failed:** {fault}\n" for fault in chapter.faults]
    if chapter.findings:
        lines += [_HEAD, *(_row(finding) for finding in chapter.findings), ""]
    return "\n".join([*lines, f"Took {chapter.seconds:.0f} s.", ""])


def _row(finding: Finding) -> str:
    (this, figure), (other, of) = finding.this, finding.other
    cells = (
        finding.what,
        f"{this}: {_number(figure)}",
        f"{other}: {_number(of)}",
        finding.unit,
        f"**{finding.ratio:.2f}**",
        _bound(finding),
    )
    return f"| {' | '.join(cells)} |"


def _bound(finding: Finding) -> str:
    mark = "" if finding.is_kept else " **BROKEN**"
    if finding.at_most is not None:
        return f"at most {finding.at_most:.3g}{mark}"
    return f"at least {finding.at_least:.3g}{mark}" if finding.at_least is not None else ""


def _number(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def _commit() -> str:
    try:
        name = _git("rev-parse", "--short", "HEAD")
        return f"{name}, with changes" if _git("status", "--porcelain") else name
    except (OSError, subprocess.CalledProcessError):
        # An archive of the tree has no history, and can be measured all the same.
        print("no commit is known here", file=sys.stderr)
        return "unknown"


def _git(*arguments: str) -> str:
    command = ("git", "-C", str(ROOT), *arguments)
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return run.stdout.strip()
