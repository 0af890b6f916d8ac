"""Say what grew: the line through all looks of a run, but for the first fifth."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, median

# What finding one's size explains within a run, however long: an absolute and a relative part.
# Pools of connections grow to their bound by the worst moment so far, which may come late.
_ROOM = {
    "memory_mb": (12.0, 0.10),
    "handles": (40.0, 0.10),
    "tasks": (60.0, 0.25),
    "seconds": (0.5, 0.50),
}
FEWEST = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One figure over a run: `kind` says which bound holds, `points` are seconds and values."""

    name: str
    kind: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """How a series went: its middle, by how much its line rises in all, and how far it may."""

    name: str
    kind: str
    middle: float
    rise: float
    room: float

    @property
    def is_too_much(self) -> bool:
        """Tell whether it rose beyond its bound."""
        return self.rise > self.room


def judge(series: Series) -> Growth:
    """Judge a series of at least `FEWEST` points after its first fifth."""
    settled = series.points[len(series.points) // 5 :]
    if len(settled) < FEWEST:
        raise ValueError(f"{series.name}: {len(settled)} looks prove nothing")
    at, values = zip(*settled, strict=True)
    slope = linear_regression(at, values).slope
    middle = median(values)
    absolute, relative = _ROOM[series.kind]
    return Growth(
        name=series.name,
        kind=series.kind,
        middle=middle,
        rise=slope * (at[-1] - at[0]),
        room=max(absolute, relative * middle),
    )


def percentile(values: Sequence[float], part: float) -> float:
    """Give the value below which `part` (0 to 1) of the values lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
