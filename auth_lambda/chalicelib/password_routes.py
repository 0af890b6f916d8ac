"""Passwords and apps of staff over HTTP: forgotten, changed, taken away."""

from typing import Any

from chalice.app import Response

from comanda.identity.verifier import Kind

from . import changes, staff_bodies, wiring
from .callers import demand, username_of
from .problems import Problem
from .routes import address_of, answer, body_of, caller_in, shop_of
from .staff import OwnAccount, UnknownMember
from .staff_passwords import Member
from .staff_pool import PasswordRefused


def forget_password(request: Any, shop: str) -> Response:
    """Mail a code to who forgot their password; the answer is the same for who is nobody."""
    shop_id = shop_of(shop)
    username = staff_bodies.read_username(body_of(request))
    session = changes.staff_passwords().ask(shop_id, username, address=address_of(request))
    return answer(202, {"status": "accepted", "session": session})


def reset_password(request: Any, shop: str) -> Response:
    """Set a password by the code that was mailed."""
    shop_id = shop_of(shop)
    given = staff_bodies.read_password_reset(body_of(request))
    try:
        changes.staff_passwords().reset(
            shop_id,
            session=given.session,
            code=given.code,
            new=given.new,
            address=address_of(request),
        )
    except PasswordRefused as exc:
        raise _password_refused() from exc
    return answer(204, None)


def change_password(request: Any, shop: str) -> Response:
    """Change one's own password, and sign out everywhere."""
    member = _member(request, shop)
    old, new = staff_bodies.read_password_change(body_of(request))
    try:
        changes.staff_passwords().change(member, old=old, new=new)
    except PasswordRefused as exc:
        raise _password_refused() from exc
    return answer(204, None)


def remove_totp(request: Any, shop: str) -> Response:
    """Ask oneself for no app's code any more; the password proves who wants that."""
    member = _member(request, shop)
    password = staff_bodies.read_password(body_of(request))
    changes.staff_passwords().remove_totp(member, password=password)
    return answer(204, None)


def reset_totp(request: Any, shop: str, username: str) -> Response:
    """Let somebody in without the app that they lost."""
    shop_id = shop_of(shop)
    caller = caller_in(request, shop_id)
    demand(caller, "owner")
    why = staff_bodies.read_reason(body_of(request))
    try:
        wiring.staff_desk().reset_totp(shop_id, username, who=username_of(caller), why=why)
    except UnknownMember as exc:
        raise Problem(404, "Not found") from exc
    except OwnAccount as exc:
        raise Problem(409, "Your own account", detail="use your password instead") from exc
    return answer(204, None)


def _member(request: Any, shop: str) -> Member:
    shop_id = shop_of(shop)
    caller = caller_in(request, shop_id)
    if caller.identity.kind is not Kind.STAFF:
        raise Problem(403, "This needs another role", detail="staff alone")
    return Member(
        shop_id=shop_id,
        username=username_of(caller),
        token=caller.token,
        address=address_of(request),
    )


def _password_refused() -> Problem:
    return Problem(422, "Password refused", detail="choose another new_password")
