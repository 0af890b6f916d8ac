"""When a shop takes orders, and how many at once: our copy of what the catalog said last."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comanda.hours import OpeningHours, ShopSwitch, is_open
from comanda.ids import ShopId

# Each order that waits for its payment holds stock and costs a charge at the provider, so nobody
# may hold a shop's whole stock for nothing. Looked at are the newest, which bounds the reading.
MOST_UNPAID = 10
UNPAID_AMONG = 20


class ShopClosed(Exception):
    """The shop takes no orders at this hour, or has closed its door."""


class KitchenFull(Exception):
    """As many orders as the shop allows are waiting or being made."""


class TooManyUnpaid(Exception):
    """This customer has as many orders that nobody has paid as one may have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopRules:
    """A shop that said nothing yet is open, without a bound, and its day begins at midnight."""

    shop_id: ShopId
    version: int = 0
    hours: tuple[OpeningHours, ...] = ()
    switch: str = ShopSwitch.BY_HOURS
    most_in_flight: int | None = None
    day_begins_at: int = 0

    def is_open(self, *, now: datetime, zone: tzinfo) -> bool:
        """Tell whether the shop takes orders now."""
        return is_open(self.hours, switch=self.switch, local=now.astimezone(zone))

    def day(self, *, now: datetime, zone: tzinfo) -> date:
        """Give the shop's day, in which call numbers count from 1."""
        return (now.astimezone(zone) - timedelta(hours=self.day_begins_at)).date()

    def bounds(self, day: date, *, zone: tzinfo) -> tuple[datetime, datetime]:
        """Give when a day of the shop begins and when the next one does."""
        hour = time(self.day_begins_at)
        following = day + timedelta(days=1)
        return datetime.combine(day, hour, zone), datetime.combine(following, hour, zone)


def shop_zone() -> tzinfo:
    """Give the clock of the shops, by which a day of call numbers begins."""
    try:
        return ZoneInfo("America/Sao_Paulo")
    except ZoneInfoNotFoundError:
        # A machine without the zone database: Decree 9,772 of 2019 ended Brazil's summer time.
        return timezone(timedelta(hours=-3))
