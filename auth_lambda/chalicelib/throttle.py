"""So many requests in a window, counted for a keyed name whether or not anybody goes by it.

What is counted for a person is counted for the address on the network, too: who asks in another's
name spends their own share of it, never the other's.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from comanda.ids import ShopId

from .refusals import Throttled
from .table import Change, ConditionFailed, Key, Table

_TEN_MINUTES = timedelta(minutes=10)
# A container lives on between requests, and so do its leases; old windows go with the rest.
_MOST_LEASES = 1000
_leases: dict[Key, int] = {}
_lock = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How many of one purpose in how long.

    `lease` are taken from the window at once and spent in memory; what a container does not spend
    of them is lost with the window, so there are never more than `count`, and maybe fewer. A lease
    is at most a tenth of the count.
    """

    purpose: str
    count: int
    window: timedelta = _TEN_MINUTES
    lease: int = 1


# For one person (a keyed name) from one address.
CHALLENGES = Limit(purpose="CHALLENGE", count=5)
STAFF_SIGN_INS = Limit(purpose="STAFF", count=10)
# For one address: all tills and kiosks of a shop may share one.
CODES_BY_ADDRESS = Limit(purpose="CODES-ADDRESS", count=200)
ANSWERS_BY_ADDRESS = Limit(purpose="ANSWERS-ADDRESS", count=600)
STAFF_BY_ADDRESS = Limit(purpose="STAFF-ADDRESS", count=100)
GUESTS_BY_KIOSK = Limit(purpose="GUESTS-KIOSK", count=120)
GUESTS_BY_ADDRESS = Limit(purpose="GUESTS-ADDRESS", count=3000, lease=30)
# Letters to one person that strangers to them may cause.
SENDS = Limit(purpose="SENDS", count=10, window=timedelta(hours=1))
# For a shop: below what Cognito and SES let a whole account do.
CODES_IN_ALL = Limit(purpose="CODES-ALL", count=1200, window=timedelta(minutes=1))


class Throttle:
    """Count in DynamoDB, because every container of a Lambda has a memory of its own."""

    def __init__(self, table: Table, *, clock: Callable[[], datetime]) -> None:
        self._table = table
        self._clock = clock

    def admit(self, limit: Limit, *, shop_id: ShopId, name: str) -> None:
        """Count one request; raise `Throttled` when the window is full."""
        now = int(self._clock().timestamp())
        length = int(limit.window.total_seconds())
        window, into = divmod(now, length)
        key = Key(pk=f"THROTTLE#{limit.purpose}#{shop_id}#{name}", sk=f"WINDOW#{window}")
        if _spent_from_lease(key):
            return
        lease = min(limit.lease, max(1, limit.count // 10))
        try:
            self._table.update(
                key,
                Change(
                    update="ADD tally :lease SET expires_at = :end",
                    condition="attribute_not_exists(tally) OR tally <= :room",
                    values={
                        ":lease": lease,
                        ":room": limit.count - lease,
                        ":end": (window + 2) * length,
                    },
                ),
            )
        except ConditionFailed as exc:
            raise Throttled(timedelta(seconds=length - into)) from exc
        _keep_lease(key, lease - 1)


def _spent_from_lease(key: Key) -> bool:
    with _lock:
        left = _leases.get(key, 0)
        if left == 0:
            return False
        _leases[key] = left - 1
        return True


def _keep_lease(key: Key, left: int) -> None:
    if not left:
        return
    with _lock:
        if len(_leases) >= _MOST_LEASES:
            _leases.clear()
        _leases[key] = _leases.get(key, 0) + left
