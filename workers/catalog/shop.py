"""When a shop takes orders, and how many it bears at once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comanda.hours import InvalidHours, OpeningHours, ShopSwitch, check, is_open
from comanda.ids import ShopId

MOST_STRETCHES = 28
MOST_IN_FLIGHT = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopRules:
    """What a shop decided; version 0 is a shop that never decided anything and is always open."""

    shop_id: ShopId
    version: int = 0
    hours: tuple[OpeningHours, ...] = ()
    switch: ShopSwitch = ShopSwitch.BY_HOURS
    most_in_flight: int | None = None
    day_begins_at: int = 0

    def differs_from(self, other: "ShopRules") -> bool:
        """Tell whether the two say different things, whatever their versions."""
        return replace(self, version=other.version) != other

    def is_open(self, now: datetime) -> bool:
        """Tell whether the shop takes orders at this instant."""
        return is_open(self.hours, switch=self.switch, local=now.astimezone(shop_zone()))


def check_rules(rules: ShopRules) -> None:
    """Refuse what no shop can mean; raise `InvalidHours`."""
    check(rules.hours)
    if len(rules.hours) > MOST_STRETCHES:
        raise InvalidHours(f"at most {MOST_STRETCHES} stretches a week")
    if rules.most_in_flight is not None and not 1 <= rules.most_in_flight <= MOST_IN_FLIGHT:
        raise InvalidHours(f"most_in_flight is 1 to {MOST_IN_FLIGHT}, or nothing")
    if not 0 <= rules.day_begins_at <= 23:
        raise InvalidHours("day_begins_at is an hour from 0 to 23")


def shop_zone() -> tzinfo:
    """Give the clock on the wall of every shop."""
    try:
        return ZoneInfo("America/Sao_Paulo")
    except ZoneInfoNotFoundError:
        # A machine without the zone database: Decree 9,772 of 2019 ended Brazil's summer time.
        return timezone(timedelta(hours=-3))
