"""What clients send, checked field by field; all that is wrong is told at once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from comanda.cpf import CPF

from .problems import Problem
from .pseudonyms import Email
from .sign_up import Applicant

T = TypeVar("T")
Body = Mapping[str, object]

_NAME_LIMIT = 120
_SESSION_LIMIT = 128
_PASSWORD_LIMIT = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A session and the code that was mailed for it."""

    session: str
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What a member of staff types."""

    username: str
    password: str


def read_kiosk(body: Body) -> str:
    """Read at which kiosk a guest stands."""
    fields = _Fields(body)
    kiosk = fields.read("kiosk", _matching(r"[a-z0-9][a-z0-9-]{0,31}", "letters, digits, hyphens"))
    fields.check()
    return kiosk


def read_applicant(body: Body) -> Applicant:
    """Read a sign-up."""
    fields = _Fields(body)
    cpf = fields.read("cpf", CPF)
    name = fields.read("name", _name)
    email = fields.read("email", Email)
    consent = fields.read(
        "consent_version",
        _matching(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}", "a version, such as 2026-11"),
    )
    fields.check()
    return Applicant(cpf=cpf, name=name, email=email, consent_version=consent)


def read_person(body: Body) -> CPF | Email:
    """Read by what a customer wants to be recognised: a CPF or an e-mail, not both."""
    if ("cpf" in body) == ("email" in body):
        raise _invalid([("cpf", "either cpf or email is needed, not both")])
    fields = _Fields(body)
    person: CPF | Email = fields.read("cpf", CPF) if "cpf" in body else fields.read("email", Email)
    fields.check()
    return person


def read_answer(body: Body) -> Answer:
    """Read an answer to a challenge."""
    fields = _Fields(body)
    session = fields.read("session", _at_most(_SESSION_LIMIT))
    code = fields.read("code", _matching(r"[0-9]{6}", "six digits are needed"))
    fields.check()
    return Answer(session=session, code=code)


def read_credentials(body: Body) -> Credentials:
    """Read a username and a password."""
    fields = _Fields(body)
    username = fields.read("username", _at_most(_SESSION_LIMIT))
    password = fields.read("password", _at_most(_PASSWORD_LIMIT))
    fields.check()
    return Credentials(username=username, password=password)


class _Fields:
    """Collect faults while fields are read; what was faulty is never used, for `check` raises."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._faults: list[tuple[str, str]] = []

    def read(self, name: str, parse: Callable[[str], T]) -> T:
        value = self._body.get(name)
        if value is None:
            self._faults.append((name, "missing"))
        elif not isinstance(value, str):
            self._faults.append((name, "text is needed"))
        else:
            try:
                return parse(value)
            except ValueError as exc:
                self._faults.append((name, str(exc)))
        return None  # type: ignore[return-value]  # `check` raises before anybody looks at it.

    def check(self) -> None:
        if self._faults:
            raise _invalid(self._faults)


def _invalid(faults: list[tuple[str, str]]) -> Problem:
    return Problem(422, "Invalid request", detail="change the fields named below", errors=faults)


def _matching(pattern: str, hint: str) -> Callable[[str], str]:
    form = re.compile(pattern, re.ASCII)

    def parse(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(hint)
        return text

    return parse


def _at_most(limit: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        # A lone surrogate is legal JSON and cannot be encoded, so no store could take it.
        if not 0 < len(text) <= limit or not _is_encodable(text):
            raise ValueError(f"1 to {limit} characters are needed")
        return text

    return parse


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= _NAME_LIMIT or not name.isprintable() or not _is_encodable(name):
        raise ValueError(f"1 to {_NAME_LIMIT} characters are needed")
    return name


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
