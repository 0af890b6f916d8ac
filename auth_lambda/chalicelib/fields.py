"""Fields of a JSON body, read one by one; all that is wrong is told at once."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from .problems import Problem

T = TypeVar("T")
Body = Mapping[str, object]


class Fields:
    """Collect faults while fields are read; what was faulty is never used, for `check` raises."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._faults: list[tuple[str, str]] = []

    def read(self, name: str, parse: Callable[[str], T]) -> T:
        """Read a text that must be there."""
        if self._body.get(name) is None:
            self._faults.append((name, "missing"))
        else:
            found = self.maybe(name, parse)
            if found is not None:
                return found
        return None  # type: ignore[return-value]  # `check` raises before anybody looks at it.

    def maybe(self, name: str, parse: Callable[[str], T]) -> T | None:
        """Read a text that may be missing or null."""
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._faults.append((name, "text is needed"))
            return None
        try:
            return parse(value)
        except ValueError as exc:
            self._faults.append((name, str(exc)))
            return None

    def flag(self, name: str) -> bool | None:
        """Read true or false, which may be missing."""
        value = self._body.get(name)
        if value is not None and not isinstance(value, bool):
            self._faults.append((name, "true or false is needed"))
            return None
        return value

    def some_of(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...] | None:
        """Read a list of these words, which may be missing, but not empty."""
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not value or any(it not in allowed for it in value):
            self._faults.append((name, f"a list of some of: {', '.join(allowed)}"))
            return None
        return tuple(sorted(set(value)))

    def has(self, name: str) -> bool:
        """Tell whether the field is there, be it null."""
        return name in self._body

    def blame(self, name: str, fault: str) -> None:
        """Add a fault that shows only when fields are looked at together."""
        self._faults.append((name, fault))

    def check(self) -> None:
        """Raise a problem that names every faulty field."""
        if self._faults:
            raise invalid(self._faults)


def invalid(faults: list[tuple[str, str]]) -> Problem:
    """Make the refusal that names faulty fields."""
    return Problem(422, "Invalid request", detail="change the fields named below", errors=faults)


def matching(pattern: str, hint: str) -> Callable[[str], str]:
    """Make a reader of texts of this form."""
    form = re.compile(pattern, re.ASCII)

    def parse(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(hint)
        return text

    return parse


def at_most(limit: int) -> Callable[[str], str]:
    """Make a reader of texts of 1 to `limit` characters."""

    def parse(text: str) -> str:
        # A lone surrogate is legal JSON and cannot be encoded, so no store could take it.
        if not 0 < len(text) <= limit or not _is_encodable(text):
            raise ValueError(f"1 to {limit} characters are needed")
        return text

    return parse


def line_of(limit: int) -> Callable[[str], str]:
    """Make a reader of one printable line of 1 to `limit` characters, its blanks made single."""

    def parse(text: str) -> str:
        line = " ".join(text.split())
        if not 0 < len(line) <= limit or not line.isprintable() or not _is_encodable(line):
            raise ValueError(f"1 to {limit} characters are needed")
        return line

    return parse


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
