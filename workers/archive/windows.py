"""A window of time arrives; its events leave hour by hour, each once, in order of time.

Read from the objects, for no index by time could take all writes. An object that a crash left
behind holds events that were written again elsewhere: the id tells.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from comanda.ids import ShopId
from workers.archive.items import position
from workers.archive.model import Entry, hour_of, read_entry
from workers.archive.ports import Objects

LONGEST = timedelta(days=31)
_HOUR = timedelta(hours=1)
# How many objects are read side by side.
_AT_ONCE = 8


class InvalidWindow(ValueError):
    """The window makes no sense; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Events of one shop from `since` up to before `until`, of some types and subjects.

    No `types` and no `subjects` mean all.
    """

    shop_id: ShopId
    since: datetime
    until: datetime
    types: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse what is empty, too long, or has no time zone: `InvalidWindow`."""
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise InvalidWindow("since and until need a time zone")
        if not self.since < self.until <= self.since + LONGEST:
            raise InvalidWindow(f"until comes after since, by {LONGEST.days} days at most")

    def holds(self, entry: Entry) -> bool:
        """Tell whether an event is in the window."""
        return (
            entry.shop_id == self.shop_id
            and self.since <= entry.at < self.until
            and (not self.types or entry.wire_type in self.types)
            and (not self.subjects or entry.subject in self.subjects)
        )

    @property
    def hours(self) -> Iterator[datetime]:
        """Give the beginning of every hour that the window touches."""
        hour = self.since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while hour < self.until:
            yield hour
            hour += _HOUR


async def events_in(window: Window, objects: Objects, *, after: str = "") -> AsyncIterator[Entry]:
    """Give the window's events whose position comes after `after`; memory holds one hour's."""
    for hour in window.hours:
        # An hour whose last position was passed already is not read again.
        if after and after[:13] > hour.isoformat()[:13]:
            continue
        found: dict[str, Entry] = {}
        async for line in _lines_of(hour, objects):
            entry = read_entry(line)
            if window.holds(entry) and position(entry) > after:
                found[entry.event_id] = entry
        for entry in sorted(found.values(), key=position):
            yield entry


async def _lines_of(hour: datetime, objects: Objects) -> AsyncIterator[str]:
    names = [name async for name in objects.keys(hour_of(hour))]
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        for lines in await asyncio.gather(*(objects.get(name) for name in some)):
            for line in lines:
                yield line


async def newest_in(window: Window, objects: Objects, *, most: int) -> list[Entry]:
    """Give the newest `most` events of a window, the newest first; reads no hour in vain."""
    found: list[Entry] = []
    for hour in reversed(list(window.hours)):
        begins, ends = max(window.since, hour), min(window.until, hour + _HOUR)
        inside = replace(window, since=begins, until=ends)
        entries = [entry async for entry in events_in(inside, objects)]
        found += reversed(entries)
        if len(found) >= most:
            break
    return found[:most]


async def counted(window: Window, objects: Objects) -> Counter[str]:
    """Count a window's events by type."""
    counts: Counter[str] = Counter()
    async for entry in events_in(window, objects):
        counts[entry.wire_type] += 1
    return counts
