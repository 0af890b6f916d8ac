"""How often one resource is fetched: a burst of notifications about it leads to few calls."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=5)
MOST_IN_WINDOW = 2
_REMEMBERED = 10_000


@dataclass(kw_only=True, slots=True)
class Pace:
    """Allow two fetches of a resource in five seconds; a third waits, and covers all before it."""

    _begun: OrderedDict[str, list[datetime]] = field(default_factory=OrderedDict)

    def wait(self, resource_id: str, *, now: datetime) -> timedelta | None:
        """Note a fetch that begins now, or say how long it must wait."""
        begun = [at for at in self._begun.pop(resource_id, []) if now - at < WINDOW]
        is_allowed = len(begun) < MOST_IN_WINDOW
        self._begun[resource_id] = [*begun, now] if is_allowed else begun
        while len(self._begun) > _REMEMBERED:
            self._begun.popitem(last=False)
        return None if is_allowed else begun[0] + WINDOW - now
