"""What staff and owners send."""

from dataclasses import dataclass

from comanda.cpf import CPF

from .fields import Body, Fields, at_most, line_of, matching
from .pseudonyms import Email
from .staff import StaffChange
from .staff_pool import GROUPS, Login, Member

_USERNAME_LIMIT = 128
_PASSWORD_LIMIT = 256
_SHORTEST_PASSWORD = 12
_WHY_LIMIT = 200
_SESSION_LIMIT = 128
_TOTP = matching(r"[0-9]{6}", "six digits are needed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """A CPF that is taken from the account that has it, and why."""

    cpf: CPF
    why: str


def read_login(body: Body) -> Login:
    """Read a username, a password, and what may go with them."""
    fields = Fields(body)
    username = fields.read("username", at_most(_USERNAME_LIMIT))
    password = fields.read("password", at_most(_PASSWORD_LIMIT))
    totp = fields.maybe("totp", _TOTP)
    fresh = fields.maybe("new_password", _new_password)
    fields.check()
    return Login(username=username, password=password, totp=totp, new_password=fresh)


@dataclass(frozen=True, kw_only=True, slots=True)
class PasswordReset:
    """A session, the code that was mailed for it, and the password to be set."""

    session: str
    code: str
    new: str


def read_username(body: Body) -> str:
    """Read who forgot their password."""
    fields = Fields(body)
    username = fields.read("username", at_most(_USERNAME_LIMIT))
    fields.check()
    return username


def read_password_reset(body: Body) -> PasswordReset:
    """Read a forgotten password's successor, with what proves who sends it."""
    fields = Fields(body)
    session = fields.read("session", at_most(_SESSION_LIMIT))
    code = fields.read("code", _TOTP)
    new = fields.read("new_password", _new_password)
    fields.check()
    return PasswordReset(session=session, code=code, new=new)


def read_password_change(body: Body) -> tuple[str, str]:
    """Read the password that is, and the one that is to be."""
    fields = Fields(body)
    old = fields.read("password", at_most(_PASSWORD_LIMIT))
    new = fields.read("new_password", _new_password)
    fields.check()
    return old, new


def read_password(body: Body) -> str:
    """Read one's own password."""
    fields = Fields(body)
    password = fields.read("password", at_most(_PASSWORD_LIMIT))
    fields.check()
    return password


def read_reason(body: Body) -> str:
    """Read why an owner does something."""
    fields = Fields(body)
    why = fields.read("reason", line_of(_WHY_LIMIT))
    fields.check()
    return why


def read_invitation(body: Body) -> tuple[Member, str]:
    """Read whom an owner invites, and why."""
    fields = Fields(body)
    username = fields.read(
        "username",
        matching(r"[a-z0-9][a-z0-9.-]{2,63}", "3 to 64 lower-case letters, digits, dots, hyphens"),
    )
    email = fields.read("email", Email)
    groups = fields.some_of("groups", GROUPS)
    if body.get("groups") is None:
        fields.blame("groups", "missing")
    why = fields.read("reason", line_of(_WHY_LIMIT))
    fields.check()
    assert groups is not None  # Else `check` has raised.
    return Member(username=username, email=email.address, groups=groups, is_enabled=True), why


def read_change(body: Body) -> StaffChange:
    """Read what an owner changes of a member, and why."""
    fields = Fields(body)
    groups = fields.some_of("groups", GROUPS)
    is_enabled = fields.flag("is_enabled")
    why = fields.read("reason", line_of(_WHY_LIMIT))
    if not fields.has("groups") and not fields.has("is_enabled"):
        fields.blame("groups", "groups or is_enabled is needed")
    fields.check()
    return StaffChange(groups=groups, is_enabled=is_enabled, why=why)


def read_release(body: Body) -> Release:
    """Read which CPF an owner frees, and why."""
    fields = Fields(body)
    cpf = fields.read("cpf", CPF)
    why = fields.read("reason", line_of(_WHY_LIMIT))
    fields.check()
    return Release(cpf=cpf, why=why)


def read_totp(body: Body) -> str:
    """Read the code that an app shows."""
    fields = Fields(body)
    code = fields.read("totp", _TOTP)
    fields.check()
    return code


def _new_password(text: str) -> str:
    at_most(_PASSWORD_LIMIT)(text)
    kinds = (any(map(test, text)) for test in (str.islower, str.isupper, str.isdigit))
    if len(text) < _SHORTEST_PASSWORD or not all(kinds):
        raise ValueError(
            f"at least {_SHORTEST_PASSWORD} characters, of them a small letter, "
            "a capital and a digit"
        )
    return text
