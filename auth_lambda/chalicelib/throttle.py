"""So many requests in a window, counted for a keyed name whether or not anybody goes by it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from comanda.ids import ShopId

from .table import Change, ConditionFailed, Key, Table


class Throttled(Exception):
    """There were too many requests; `retry_after` says when the next one is counted anew."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How many of one purpose in how long."""

    purpose: str
    count: int
    window: timedelta


CHALLENGES = Limit(purpose="CHALLENGE", count=5, window=timedelta(minutes=10))
STAFF_SIGN_INS = Limit(purpose="STAFF", count=10, window=timedelta(minutes=10))


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
