"""So many requests in a window, counted for a keyed name whether or not anybody goes by it.

What is counted for a person is counted for the address on the network, too: who asks in another's
name spends their own share of it, never the other's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from comanda.ids import ShopId

from .refusals import Throttled
from .table import Change, ConditionFailed, Key, Table

_TEN_MINUTES = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How many of one purpose in how long."""

    purpose: str
    count: int
    window: timedelta = _TEN_MINUTES


# For one person (a keyed name) from one address.
CHALLENGES = Limit(purpose="CHALLENGE", count=5)
STAFF_SIGN_INS = Limit(purpose="STAFF", count=10)
# For one address: all tills and kiosks of a shop may share one.
CODES_BY_ADDRESS = Limit(purpose="CODES-ADDRESS", count=200)
ANSWERS_BY_ADDRESS = Limit(purpose="ANSWERS-ADDRESS", count=600)
STAFF_BY_ADDRESS = Limit(purpose="STAFF-ADDRESS", count=100)
GUESTS_BY_KIOSK = Limit(purpose="GUESTS-KIOSK", count=120)
GUESTS_BY_ADDRESS = Limit(purpose="GUESTS-ADDRESS", count=3000)
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
        try:
            self._table.update(
                Key(pk=f"THROTTLE#{limit.purpose}#{shop_id}#{name}", sk=f"WINDOW#{window}"),
                Change(
                    update="ADD tally :one SET expires_at = :end",
                    condition="attribute_not_exists(tally) OR tally < :most",
                    values={":one": 1, ":most": limit.count, ":end": (window + 2) * length},
                ),
            )
        except ConditionFailed as exc:
            raise Throttled(timedelta(seconds=length - into)) from exc
