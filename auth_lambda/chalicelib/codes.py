"""One-time codes: six digits, five minutes, three tries, one send a minute, kept only hashed."""

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from comanda.ids import ShopId

from .pseudonyms import Pseudonyms
from .table import Change, ConditionFailed, Key, Table

VALID_FOR = timedelta(minutes=5)
SEND_EVERY = timedelta(minutes=1)
ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Whose code it is, and for which address on the network.

    A code belongs to a place too, so that nobody elsewhere can use up its attempts or its minute.
    """

    owner: str
    place: str

    @property
    def text(self) -> str:
        """Give both as one text, under which the code is hashed."""
        return f"{self.owner}\0{self.place}"


def holder_of_applicant(shop_id: ShopId, *, name: str, place: str) -> Holder:
    """Give whose code a sign-up waits for: nobody is looked up, for the address names itself."""
    return Holder(owner=f"SHOP#{shop_id}#{name}", place=place)


def new_code() -> str:
    """Draw one of the 10^6 codes, each as likely as any other."""
    return f"{secrets.randbelow(1_000_000):06d}"


class Codes:
    """Issue and check codes; each holder has at most one."""

    def __init__(
        self,
        table: Table,
        *,
        pseudonyms: Pseudonyms,
        clock: Callable[[], datetime],
        draw: Callable[[], str] = new_code,
    ) -> None:
        self._table = table
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._draw = draw

    def issue(self, holder: Holder, *, session: str) -> str | None:
        """Give a new code to send, None when one went out less than a minute ago.

        A code that another session has used does not hold the next one back.
        """
        now = int(self._clock().timestamp())
        code = self._draw()
        item: dict[str, str | int] = {
            "code_hash": self._pseudonyms.of_code(holder.text, code),
            "sent_at": now,
            "attempts": 0,
            "expires_at": now + int(VALID_FOR.total_seconds()),
        }
        # The condition makes two sign-ins at once send one message.
        once = Change(
            condition="attribute_not_exists(pk) OR sent_at <= :before"
            " OR (attribute_exists(used_by) AND used_by <> :session)",
            values={":before": now - int(SEND_EVERY.total_seconds()), ":session": session},
        )
        try:
            self._table.put(_key(holder), item, change=once)
        except ConditionFailed:
            return None
        return code

    def withdraw(self, holder: Holder, code: str) -> bool:
        """Remove a code that was not sent, and tell whether it was there."""
        code_hash = self._pseudonyms.of_code(holder.text, code)
        still = Change(condition="code_hash = :hash", values={":hash": code_hash})
        try:
            self._table.delete(_key(holder), still)
        except ConditionFailed:
            return False
        return True

    def discard(self, holder: Holder, *, session: str) -> None:
        """Remove the code that this session used, if it is still there."""
        own = Change(condition="used_by = :session", values={":session": session})
        with suppress(ConditionFailed):
            self._table.delete(_key(holder), own)

    def is_right(self, holder: Holder, answer: str, *, session: str) -> bool:
        """Count an attempt and compare in constant time; a right answer uses the code up.

        It stays right for the session that used it, which ends with its success: an outage after
        the right answer, or a repeat that a client library makes of itself, must not cost the code.
        """
        now = int(self._clock().timestamp())
        try:
            item = self._table.update(
                _key(holder),
                Change(
                    update="ADD attempts :one",
                    condition="(attempts < :most OR used_by = :session) AND expires_at > :now",
                    values={":one": 1, ":most": ATTEMPTS, ":now": now, ":session": session},
                ),
            )
        except ConditionFailed:
            return False
        given = self._pseudonyms.of_code(holder.text, answer)
        if not hmac.compare_digest(given, str(item["code_hash"])):
            return False
        return self._use(holder, given, session=session)

    def _use(self, holder: Holder, code_hash: str, *, session: str) -> bool:
        unused = "(attribute_not_exists(used_by) OR used_by = :session)"
        use = Change(
            update="SET used_by = :session",
            condition=f"code_hash = :hash AND {unused}",
            values={":hash": code_hash, ":session": session},
        )
        try:
            self._table.update(_key(holder), use)
        except ConditionFailed:
            return False
        return True


def _key(holder: Holder) -> Key:
    return Key(pk=holder.owner, sk=f"CODE#{holder.place}")
