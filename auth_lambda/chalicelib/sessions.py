"""Sign-ins under way: an opaque token outside; inside whose code is awaited, or nobody's."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from comanda.ids import CustomerId, ShopId

from .codes import Holder
from .purposes import Purpose
from .table import Change, ConditionFailed, Item, Key, Table

VALID_FOR = timedelta(minutes=5)
ATTEMPTS = 3


def new_token() -> str:
    """Draw 256 bits."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One chance to answer; a session that nobody stands behind has no holder.

    `customer_id` is missing while a sign-up waits for its code; `application` is then its seal.
    """

    reference: str
    holder: Holder | None
    customer_id: CustomerId | None
    application: str | None


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
        purpose: Purpose = Purpose.SIGN_IN,
        draw: Callable[[], str] = new_token,
    ) -> None:
        # A session is looked for among those of its purpose alone: a code for one thing can never
        # be traded for another.
        self._prefix = "SESSION" if purpose is Purpose.SIGN_IN else f"SESSION#{purpose}"
        self._table = table
        self._clock = clock
        self._draw = draw

    def token(self) -> str:
        """Draw the token of a session that is to be opened."""
        return self._draw()

    def open(
        self,
        shop_id: ShopId,
        token: str,
        *,
        application: str | None = None,
        holder: Holder | None = None,
    ) -> None:
        """Begin a session; whose code it waits for may be known, or is told by `bind`."""
        item: Item = {
            "shop_id": str(shop_id),
            "attempts": 0,
            "expires_at": int((self._clock() + VALID_FOR).timestamp()),
        }
        if application is not None:
            item["application"] = application
        if holder is not None:
            item |= {"code_owner": holder.owner, "code_place": holder.place}
        self._table.put(self._key(reference_of(token)), item)

    def application(self, reference: str) -> str | None:
        """Give the sealed application that waits for its code."""
        item = self._table.get(self._key(reference))
        return _text(item, "application") if item else None

    def bind(
        self, reference: str, holder: Holder, *, customer_id: CustomerId | None = None
    ) -> bool:
        """Say whose code this session waits for; tell whether it is still there."""
        values: Item = {":owner": holder.owner, ":place": holder.place}
        update = "SET code_owner = :owner, code_place = :place"
        if customer_id is not None:
            values[":customer"] = customer_id
            update += ", customer_id = :customer"
        try:
            self._table.update(
                self._key(reference),
                Change(update=update, condition="attribute_exists(pk)", values=values),
            )
        except ConditionFailed:
            return False
        return True

    def attempt(self, shop_id: ShopId, token: str) -> Round | None:
        """Count an attempt and give the round, None when the session is unknown or used up.

        The count is taken before the answer is looked at: guesses sent side by side are counted
        one by one.
        """
        now = int(self._clock().timestamp())
        reference = reference_of(token)
        try:
            item = self._table.update(
                self._key(reference),
                Change(
                    update="ADD attempts :one",
                    condition="attempts < :most AND expires_at > :now AND shop_id = :shop",
                    values={":one": 1, ":most": ATTEMPTS, ":now": now, ":shop": str(shop_id)},
                ),
            )
        except ConditionFailed:
            return None
        customer_id = _text(item, "customer_id")
        return Round(
            reference=reference,
            holder=_holder(item),
            customer_id=CustomerId(customer_id) if customer_id else None,
            application=_text(item, "application"),
        )

    def excuse(self, reference: str) -> None:
        """Take back the count of a right answer that an outage left without effect."""
        still = Change(
            update="ADD attempts :less", condition="attribute_exists(pk)", values={":less": -1}
        )
        with suppress(ConditionFailed):
            self._table.update(self._key(reference), still)

    def close(self, reference: str) -> bool:
        """Forget a session and whatever it held of a person; False if a twin has closed it."""
        try:
            self._table.delete(self._key(reference), Change(condition="attribute_exists(pk)"))
        except ConditionFailed:
            return False
        return True

    def _key(self, reference: str) -> Key:
        return Key(pk=f"{self._prefix}#{reference}", sk="SESSION")


def reference_of(token: str) -> str:
    """Name a session without its token."""
    return sha256(token.encode()).hexdigest()


def _holder(item: Item) -> Holder | None:
    owner, place = _text(item, "code_owner"), _text(item, "code_place")
    return Holder(owner=owner, place=place) if owner and place else None


def _text(item: Item, name: str) -> str | None:
    return str(item[name]) if name in item else None
