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
_leases: dict[Key, "_Lease"] = {}
_lock = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How many of one purpose in how long.

    Up to `lease`, and at most a tenth of the count, are taken from the window at once and spent in
    memory. A container takes one first and then twice as many each time, so what it leaves unspent,
    which is lost with the window, is at most about what it spent: there are never more than
    `count`, and maybe fewer.
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
        size = _next_size(key, most=min(limit.lease, max(1, limit.count // 10)))
        if size == 0:
            return
        # Where a lease does not fit any more, a single one may.
        for wanted in sorted({size, 1}, reverse=True):
            if self._take(key, wanted, limit=limit, ends_at=(window + 2) * length):
                _keep(key, _Lease(left=wanted - 1, size=wanted))
                return
        _keep(key, _Lease(left=0, size=0))
        raise Throttled(timedelta(seconds=length - into))

    def _take(self, key: Key, count: int, *, limit: Limit, ends_at: int) -> bool:
        change = Change(
            update="ADD tally :count SET expires_at = :end",
            condition="attribute_not_exists(tally) OR tally <= :room",
            values={":count": count, ":room": limit.count - count, ":end": ends_at},
        )
        try:
            self._table.update(key, change)
        except ConditionFailed:
            return False
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lease:
    """What is left of the last lease, and how large it was."""

    left: int
    size: int


def _next_size(key: Key, *, most: int) -> int:
    """Spend one from memory and give 0, or say how many to take next."""
    with _lock:
        held = _leases.get(key, _Lease(left=0, size=0))
        if held.left == 0:
            return min(most, max(1, 2 * held.size))
        _leases[key] = _Lease(left=held.left - 1, size=held.size)
        return 0


def _keep(key: Key, lease: _Lease) -> None:
    with _lock:
        if len(_leases) >= _MOST_LEASES:
            _leases.clear()
        # Another thread may have taken one meanwhile; what it left is not lost.
        others = _leases[key].left if key in _leases else 0
        _leases[key] = _Lease(left=lease.left + others, size=lease.size)
