"""What a benchmark found, as lines of the one report (`python -m benchmarks`).

Every finding is a ratio of two figures of the same run. A benchmark prints what it likes and tells
its findings besides; they go to the file that `BENCH_FINDINGS` names, if somebody collects them.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

VARIABLE = "BENCH_FINDINGS"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`this` over `other`, both in `unit`; a bound is what the ratio may be at most, or at least.

    `this` and `other` say of what they are: a name and a figure above 0.
    """

    what: str
    this: tuple[str, float]
    other: tuple[str, float]
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no ratio."""
        if not (self.this[1] >= 0 and self.other[1] > 0):
            raise ValueError(f"{self.what}: {self.this} over {self.other} is no ratio")

    @property
    def ratio(self) -> float:
        """Divide."""
        return self.this[1] / self.other[1]

    @property
    def is_kept(self) -> bool:
        """Tell whether the bound holds; what has none is always kept."""
        is_low = self.at_most is None or self.ratio <= self.at_most
        return is_low and (self.at_least is None or self.ratio >= self.at_least)


def tell(findings: Iterable[Finding]) -> bool:
    """Write findings down for whoever collects them; tell whether all bounds are kept."""
    taken = list(findings)
    if file := os.environ.get(VARIABLE):
        with Path(file).open("a") as out:
            out.writelines(json.dumps(asdict(finding)) + "\n" for finding in taken)
    return all(finding.is_kept for finding in taken)


def told(file: Path) -> list[Finding]:
    """Read what was told; nothing where nobody told anything."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [_finding(json.loads(line)) for line in lines]


def _finding(fields: dict[str, Any]) -> Finding:
    pairs = {name: tuple(fields[name]) for name in ("this", "other")}
    return Finding(**{**fields, **pairs})
