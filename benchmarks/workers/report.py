"""Turn results into a table, a JSON file and `docs/benchmarks/workers.md`."""

import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import groupby
from pathlib import Path
from statistics import median

from benchmarks.findings import Finding
from benchmarks.workers.consumers import CEILING, OURS
from benchmarks.workers.measure import Result

_HEAD = (
    "| consumer | messages/s | of the ceiling | our rate / its | CPU-s per 1,000 | our CPU / its"
    " | store CPU-s per 1,000 | p50 ms | p99 ms | peak MB |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)
_TITLES = {
    "trivial": "nothing to do",
    "io": "5 ms of I/O",
    "postgres": "inbox, effect and outbox in PostgreSQL (fsync on)",
    "dynamodb": "inbox, effect and outbox in DynamoDB (ministack, which is what limits here)",
}
_FIGURES: tuple[tuple[str, str, Callable[[Result], float]], ...] = (
    ("rate", "messages/s", lambda result: result.rate),
    ("CPU of a message", "s per 1,000", lambda result: result.cpu),
)
# From here on the stand-in itself may be what is measured.
_BUSY = 0.85
_INTRO = """# SQS consumers side by side

Written by `python -m benchmarks.workers`; do not edit. One process each, against the bed in
`benchmarks/workers/bed` with the round trip named; the runs alternate, and each figure is the
median of {rounds} rounds. Rates are counted in a steady window of {window:g} s with a full queue;
the time from sent to deleted is taken at a gentle pace, half of the consumer's own rate and at most
200 a second. CPU is that of the consumer and all its children. Ratios are what to read: the machine
is shared, and absolute figures carry perhaps 30 %.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """Where and when the results came to be."""

    at: datetime
    versions: Mapping[str, str]
    rounds: int
    window: float


def merged(results: Iterable[Result]) -> list[Result]:
    """Give one result per consumer and cell: the median of its rounds, figure by figure."""
    groups: dict[tuple[str, str, float], list[Result]] = {}
    for result in results:
        key = (result.subject, result.handler, result.round_trip)
        groups.setdefault(key, []).append(result)
    return [_median(group) for group in groups.values()]


def table(results: Sequence[Result]) -> str:
    """Render the consumers of one cell, the fastest first."""
    by_name = {result.subject: result for result in results}
    ours, ceiling = by_name.get(OURS), by_name.get(CEILING)
    ordered = sorted(results, key=lambda result: -result.rate)
    return "\n".join((_HEAD, *(_row(result, ours=ours, ceiling=ceiling) for result in ordered)))


def findings(results: Sequence[Result]) -> list[Finding]:
    """Put our rate and our CPU in one cell beside everybody else's."""
    ours = next((result for result in results if result.subject == OURS), None)
    if ours is None:
        return []
    return [
        Finding(
            what=f"{ours.handler}, round trip {ours.round_trip * 1000:g} ms: {what}",
            this=("comanda", figure(ours)),
            other=(peer.subject, figure(peer)),
            unit=unit,
        )
        for peer in results
        if peer.subject != OURS
        for what, unit, figure in _FIGURES
        if figure(peer)
    ]


def document(results: Sequence[Result], setting: Setting) -> str:
    """Render the whole page."""
    parts = [_INTRO.format(rounds=setting.rounds, window=setting.window)]
    ordered = sorted(results, key=_cell)
    for _, members in groupby(ordered, key=_cell):
        group = list(members)
        title = f"{_TITLES[group[0].handler]}, round trip {group[0].round_trip * 1000:g} ms"
        parts.append(f"## {title[0].upper()}{title[1:]}\n\n{table(group)}\n")
    if any(result.bed_load > _BUSY for result in results):
        parts.append("(b): the bed was nearly busy itself, so the consumer may be faster.\n")
    parts.append(_footer(setting))
    return "\n".join(parts)


def save(results: Sequence[Result], setting: Setting, *, page: Path | None, data: Path) -> None:
    """Write the JSON file, and the page if one is wanted."""
    data.parent.mkdir(parents=True, exist_ok=True)
    facts = {**asdict(setting), "at": setting.at.isoformat(), "machine": machine()}
    rows = [asdict(result) for result in results]
    data.write_text(json.dumps({**facts, "results": rows}, indent=1) + "\n")
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(document(results, setting))


def machine() -> str:
    """Describe this machine without naming it."""
    model = platform.machine()
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} cores, {model}, {platform.system()}"


def _row(result: Result, *, ours: Result | None, ceiling: Result | None) -> str:
    mark = " (b)" if result.bed_load > _BUSY else ""
    cells = (
        f"**{result.subject}**" if result.subject == OURS else result.subject,
        f"{result.rate:,.0f}{mark}",
        _ratio(result.rate, ceiling.rate if ceiling else None, ".2f"),
        _ratio(ours.rate if ours else None, result.rate, ".1f", "x"),
        f"{result.cpu:.3f}",
        _ratio(ours.cpu if ours else None, result.cpu, ".2f"),
        f"{result.store_cpu:.3f}" if result.store_cpu else "-",
        _number(result.p50_ms),
        _number(result.p99_ms) + (f" ({result.undeleted} lost)" if result.undeleted else ""),
        f"{result.peak_mb:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _ratio(one: float | None, other: float | None, form: str, unit: str = "") -> str:
    return f"{one / other:{form}}{unit}" if one is not None and other else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _median(group: list[Result]) -> Result:
    values: dict[str, object] = {}
    for name in (field.name for field in fields(Result)):
        found = [value for result in group if (value := getattr(result, name)) is not None]
        is_text = bool(found) and isinstance(found[0], str)
        middle = found[0] if is_text else median(found) if found else None
        values[name] = int(middle) if name in ("messages", "undeleted") and middle else middle
    return Result(**values)  # type: ignore[arg-type]  # Field by field, the types are those of a Result.


def _cell(result: Result) -> tuple[int, float]:
    return list(_TITLES).index(result.handler), result.round_trip


def _footer(setting: Setting) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in setting.versions.items())
    return f"Measured {setting.at:%Y-%m-%d} on {machine()}. {versions}.\n"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
