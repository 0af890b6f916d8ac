"""What customers and guests send."""

from dataclasses import dataclass
from datetime import date, datetime

from comanda.cpf import CPF

from .applications import Applicant
from .birthdays import read_birth_date
from .families import TOKEN_LIMIT
from .fields import Body, Fields, at_most, invalid, line_of, matching
from .profiles import Edit
from .pseudonyms import Email

NAME_LIMIT = 120
_SESSION_LIMIT = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A session and the code that was mailed for it."""

    session: str
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """At which kiosk a guest stands, and the CPF that they may have typed."""

    kiosk: str
    cpf: CPF | None


def read_visit(body: Body) -> Visit:
    """Read where a guest is."""
    fields = Fields(body)
    kiosk = fields.read("kiosk", matching(r"[a-z0-9][a-z0-9-]{0,31}", "letters, digits, hyphens"))
    cpf = fields.maybe("cpf", CPF)
    fields.check()
    return Visit(kiosk=kiosk, cpf=cpf)


def read_applicant(body: Body, *, now: datetime) -> Applicant:
    """Read a sign-up; consent is given now."""
    fields = Fields(body)
    cpf = fields.read("cpf", CPF)
    name = fields.read("name", line_of(NAME_LIMIT))
    email = fields.read("email", Email)
    consent = fields.read(
        "consent_version",
        matching(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}", "a version, such as 2026-11"),
    )
    born = fields.maybe("birth_date", lambda text: read_birth_date(text, today=now.date()))
    fields.check()
    return Applicant(
        cpf=cpf,
        name=name,
        email=email,
        consent_version=consent,
        consented_at=now,
        birth_date=born,
    )


def read_person(body: Body) -> CPF | Email:
    """Read by what a customer wants to be recognised: a CPF or an e-mail, not both."""
    if ("cpf" in body) == ("email" in body):
        raise invalid([("cpf", "either cpf or email is needed, not both")])
    fields = Fields(body)
    person: CPF | Email = fields.read("cpf", CPF) if "cpf" in body else fields.read("email", Email)
    fields.check()
    return person


def read_answer(body: Body) -> Answer:
    """Read an answer to a challenge."""
    fields = Fields(body)
    session = fields.read("session", at_most(_SESSION_LIMIT))
    code = fields.read("code", matching(r"[0-9]{6}", "six digits are needed"))
    fields.check()
    return Answer(session=session, code=code)


def read_email(body: Body) -> Email:
    """Read an address."""
    fields = Fields(body)
    email = fields.read("email", Email)
    fields.check()
    return email


def read_refresh_token(body: Body) -> str:
    """Read a refresh token."""
    fields = Fields(body)
    token = fields.read("refresh_token", at_most(TOKEN_LIMIT))
    fields.check()
    return token


def read_edit(body: Body, *, today: date) -> Edit:
    """Read what a customer changes; a birth date of null removes it."""
    fields = Fields(body)
    name = fields.maybe("name", line_of(NAME_LIMIT))
    born = fields.maybe("birth_date", lambda text: read_birth_date(text, today=today))
    is_removed = fields.has("birth_date") and body["birth_date"] is None
    if not fields.has("name") and not fields.has("birth_date"):
        fields.blame("name", "name or birth_date is needed")
    if fields.has("name") and body["name"] is None:
        fields.blame("name", "a name cannot be removed")
    fields.check()
    return Edit(name=name, birth_date=born, is_birth_date_removed=is_removed)


def read_cpf(body: Body) -> CPF:
    """Read a CPF."""
    fields = Fields(body)
    cpf = fields.read("cpf", CPF)
    fields.check()
    return cpf
