"""Keyed names under which people are stored: nobody without the key can try all CPFs."""

import hmac
import re
from hashlib import sha256

from comanda.cpf import CPF

_FORM = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+", re.ASCII)
_LIMIT = 254


class InvalidEmail(ValueError):
    """The text is not an e-mail address that a message could reach."""


class Email:
    """Hold an address in lower case; it is shown to nobody but the mail service."""

    __slots__ = ("address",)

    def __init__(self, text: str) -> None:
        if len(text) > _LIMIT or not text.isascii() or not _FORM.fullmatch(text):
            raise InvalidEmail("an address such as nome@exemplo.com.br is needed")
        self.address = text.lower()

    def __repr__(self) -> str:
        return "Email('***')"

    __str__ = __repr__


class Pseudonyms:
    """Derive keyed names, one family for each purpose, so that none can pass for another."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the key of the pseudonyms is too short")
        self._key = key

    def of(self, person: CPF | Email) -> str:
        """Name a person by what they typed."""
        if isinstance(person, CPF):
            return f"CPF#{person.pseudonym(self._key)}"
        return f"EMAIL#{self._digest('email', person.address)}"

    def of_code(self, customer_id: str, code: str) -> str:
        """Name a one-time code; a copy of the table must not let anybody sign in."""
        return self._digest("code", customer_id, code)

    def of_address(self, address: str) -> str:
        """Name an address on the network; it is personal data, too."""
        return self._digest("address", address)

    def of_staff(self, username: str) -> str:
        """Name a member of staff, for the throttle."""
        return f"STAFF#{self._digest('staff', username)}"

    def _digest(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(), sha256).hexdigest()
