"""One-time codes: six digits, five minutes, three tries, one send a minute, kept only hashed."""

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from .pseudonyms import Pseudonyms
from .table import Change, ConditionFailed, Key, Table

VALID_FOR = timedelta(minutes=5)
SEND_EVERY = timedelta(minutes=1)
ATTEMPTS = 3


def new_code() -> str:
    """Draw one of the 10^6 codes, each as likely as any other."""
    return f"{secrets.randbelow(1_000_000):06d}"


class Codes:
    """Issue and check codes; each customer has at most one."""

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

    def issue(self, customer_id: str) -> str | None:
        """Give a new code to send, None when one went out less than a minute ago."""
        now = int(self._clock().timestamp())
        code = self._draw()
        item: dict[str, str | int] = {
            "code_hash": self._pseudonyms.of_code(customer_id, code),
            "sent_at": now,
            "attempts": 0,
            "expires_at": now + int(VALID_FOR.total_seconds()),
        }
        # The condition makes two sign-ins at once send one message.
        once = Change(
            condition="attribute_not_exists(pk) OR sent_at <= :before",
            values={":before": now - int(SEND_EVERY.total_seconds())},
        )
        try:
            self._table.put(_key(customer_id), item, change=once)
        except ConditionFailed:
            return None
        return code

    def withdraw(self, customer_id: str, code: str) -> bool:
        """Remove this code, and tell whether it was there; a code goes once, for one purpose."""
        code_hash = self._pseudonyms.of_code(customer_id, code)
        still = Change(condition="code_hash = :hash", values={":hash": code_hash})
        try:
            self._table.delete(_key(customer_id), still)
        except ConditionFailed:
            return False
        return True

    def is_right(self, customer_id: str, answer: str) -> bool:
        """Count an attempt and compare in constant time; a right answer uses the code up."""
        now = int(self._clock().timestamp())
        try:
            item = self._table.update(
                _key(customer_id),
                Change(
                    update="ADD attempts :one",
                    condition="attempts < :most AND expires_at > :now",
                    values={":one": 1, ":most": ATTEMPTS, ":now": now},
                ),
            )
        except ConditionFailed:
            return False
        given = self._pseudonyms.of_code(customer_id, answer)
        return hmac.compare_digest(given, str(item["code_hash"])) and self.withdraw(
            customer_id, answer
        )


def _key(customer_id: str) -> Key:
    return Key(pk=f"CUSTOMER#{customer_id}", sk="CODE")
