"""Sign-ins under way: our own opaque token outside, Cognito's session inside, or nothing at all."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from comanda.ids import ShopId

from .table import Change, ConditionFailed, Item, Key, Table

VALID_FOR = timedelta(minutes=5)
ATTEMPTS = 3


def new_token() -> str:
    """Draw 256 bits."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One chance to answer; a session that nobody stands behind has no customer."""

    token: str
    attempts: int
    customer_id: str | None
    cognito_session: str | None


class Sessions:
    """Keep sign-ins by the hash of their token.

    Known and unknown identifiers get the same token, the same lifetime and the same three
    attempts, so that a session says nothing about whether there is a customer behind it.
    """

    def __init__(
        self,
        table: Table,
        *,
        clock: Callable[[], datetime],
        draw: Callable[[], str] = new_token,
    ) -> None:
        self._table = table
        self._clock = clock
        self._draw = draw

    def open(self, shop_id: ShopId, *, customer_id: str | None, cognito_session: str | None) -> str:
        """Begin a session and give its token."""
        token = self._draw()
        item: Item = {
            "shop_id": str(shop_id),
            "attempts": 0,
            "expires_at": int((self._clock() + VALID_FOR).timestamp()),
        }
        if customer_id is not None and cognito_session is not None:
            item |= {"customer_id": customer_id, "cognito_session": cognito_session}
        self._table.put(_key(token), item)
        return token

    def attempt(self, shop_id: ShopId, token: str) -> Round | None:
        """Count an attempt and give the round, None when the session is unknown or used up.

        The count is taken before the answer is looked at: guesses sent side by side are counted
        one by one.
        """
        now = int(self._clock().timestamp())
        try:
            item = self._table.update(
                _key(token),
                Change(
                    update="ADD attempts :one",
                    condition="attempts < :most AND expires_at > :now AND shop_id = :shop",
                    values={":one": 1, ":most": ATTEMPTS, ":now": now, ":shop": str(shop_id)},
                ),
            )
        except ConditionFailed:
            return None
        return Round(
            token=token,
            attempts=int(item["attempts"]),
            customer_id=_text(item, "customer_id"),
            cognito_session=_text(item, "cognito_session"),
        )

    def advance(self, played: Round, *, cognito_session: str) -> None:
        """Keep Cognito's session for the next round: each of its sessions is good for one."""
        self._table.update(
            _key(played.token),
            Change(
                update="SET cognito_session = :session",
                condition="attribute_exists(pk)",
                values={":session": cognito_session},
            ),
        )


def _key(token: str) -> Key:
    return Key(pk=f"SESSION#{sha256(token.encode()).hexdigest()}", sk="SESSION")


def _text(item: Item, name: str) -> str | None:
    return str(item[name]) if name in item else None
