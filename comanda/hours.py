"""When a shop takes orders: its week, and the switch that overrules it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


class InvalidHours(ValueError):
    """Not a week: a weekday is 0 (Monday) to 6 (Sunday), a time of day is `HH:MM`."""


class ShopSwitch(StrEnum):
    """Whether the shop follows its hours, or is open or closed whatever they say."""

    BY_HOURS = "BY_HOURS"
    OPEN = "OPEN"
    CLOSED = "CLOSED"


@dataclass(frozen=True, kw_only=True, slots=True)
class OpeningHours:
    """One stretch of a week in the shop's own time; one that ends at or before its start runs on
    into the next day, so `00:00` to `00:00` is the whole day.
    """

    weekday: int
    opens: str
    closes: str

    def covers(self, local: datetime) -> bool:
        """Tell whether the stretch holds this instant; `local` is in the shop's time zone."""
        opens, closes = time.fromisoformat(self.opens), time.fromisoformat(self.closes)
        now, days_on = local.time(), (local.weekday() - self.weekday) % 7
        if opens < closes:
            return days_on == 0 and opens <= now < closes
        return (days_on == 0 and now >= opens) or (days_on == 1 and now < closes)


def is_open(hours: Sequence[OpeningHours], *, switch: ShopSwitch | str, local: datetime) -> bool:
    """Tell whether a shop takes orders; one that never named its hours is always open."""
    if switch != ShopSwitch.BY_HOURS:
        return switch == ShopSwitch.OPEN
    return not hours or any(stretch.covers(local) for stretch in hours)


def check(hours: Sequence[OpeningHours]) -> None:
    """Refuse what no clock shows; raise `InvalidHours`."""
    for stretch in hours:
        if not 0 <= stretch.weekday <= 6:
            raise InvalidHours("a weekday is 0 (Monday) to 6 (Sunday)")
        if not _CLOCK.fullmatch(stretch.opens) or not _CLOCK.fullmatch(stretch.closes):
            raise InvalidHours("a time of day is HH:MM")
