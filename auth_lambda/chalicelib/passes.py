"""A pass: 256 random bits that this app hands itself through Cognito, once, within a minute.

Cognito's client has no secret, so anybody may answer its challenge; nobody can guess a pass.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from .table import Change, ConditionFailed, Key, Table

VALID_FOR = timedelta(minutes=1)


class Passes:
    """Grant and redeem passes; only their hashes are stored."""

    def __init__(
        self,
        table: Table,
        *,
        clock: Callable[[], datetime],
        draw: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._table = table
        self._clock = clock
        self._draw = draw

    def grant(self, customer_id: str) -> str:
        """Give a pass to a customer whose code was right."""
        drawn = self._draw()
        ends = int((self._clock() + VALID_FOR).timestamp())
        self._table.put(_key(customer_id, drawn), {"expires_at": ends})
        return drawn

    def redeem(self, customer_id: str, given: str) -> bool:
        """Use the pass up, and tell whether it was good."""
        now = int(self._clock().timestamp())
        try:
            self._table.delete(
                _key(customer_id, given),
                Change(condition="expires_at > :now", values={":now": now}),
            )
        except ConditionFailed:
            return False
        return True


def _key(customer_id: str, drawn: str) -> Key:
    return Key(pk=f"CUSTOMER#{customer_id}", sk=f"PASS#{sha256(drawn.encode()).hexdigest()}")
