"""Staff over HTTP: their sign-in, and what owners may do."""

from typing import Any

from chalice.app import Response

from comanda.identity.verifier import Kind
from comanda.ids import ShopId

from . import staff_bodies, wiring
from .callers import Caller, demand, username_of
from .families import Owner, OwnerKind
from .problems import Problem
from .routes import address_of, answer, body_of, caller_in, rendered, shop_of
from .staff import OwnAccount, UnknownMember, described
from .staff_pool import PasswordRefused, UsernameTaken


def create_staff_tokens(request: Any, shop: str) -> Response:
    """Trade a password for tokens."""
    shop_id = shop_of(shop)
    login = staff_bodies.read_login(body_of(request))
    try:
        tokens = wiring.staff_sign_in().sign_in(shop_id, login, address=address_of(request))
    except PasswordRefused as exc:
        raise Problem(422, "Password refused", detail="choose another new_password") from exc
    return answer(200, rendered(tokens))


def end_staff_sessions(request: Any, shop: str) -> Response:
    """Sign a member of staff out everywhere."""
    shop_id = shop_of(shop)
    caller = caller_in(request, shop_id)
    if caller.identity.kind is not Kind.STAFF:
        raise Problem(403, "This needs another role", detail="staff alone")
    owner = Owner(kind=OwnerKind.STAFF, shop_id=shop_id, name=username_of(caller))
    wiring.visits().end_all(owner)
    return answer(204, None)


def list_staff(request: Any, shop: str) -> Response:
    """List the staff of a shop."""
    shop_id, _ = _owner(request, shop)
    members = wiring.staff_pool().members(shop_id)
    return answer(200, {"staff": [described(member) for member in members]})


def invite_staff(request: Any, shop: str) -> Response:
    """Invite somebody to the staff."""
    shop_id, caller = _owner(request, shop)
    member, why = staff_bodies.read_invitation(body_of(request))
    try:
        wiring.staff_desk().invite(shop_id, member, who=username_of(caller), why=why)
    except UsernameTaken as exc:
        raise Problem(409, "Username taken", detail="choose another username") from exc
    return answer(201, described(member))


def change_staff(request: Any, shop: str, username: str) -> Response:
    """Disable or enable a member of staff, or change their groups."""
    shop_id, caller = _owner(request, shop)
    change = staff_bodies.read_change(body_of(request))
    try:
        member = wiring.staff_desk().change(shop_id, username, change, who=username_of(caller))
    except UnknownMember as exc:
        raise Problem(404, "Not found") from exc
    except OwnAccount as exc:
        raise Problem(409, "Your own account", detail="another owner must change it") from exc
    return answer(200, described(member))


def show_audit(request: Any, shop: str) -> Response:
    """Show who did what to whom, and why."""
    shop_id, _ = _owner(request, shop)
    return answer(200, {"acts": wiring.audit().acts(shop_id)})


def release_cpf(request: Any, shop: str) -> Response:
    """Take a CPF from whoever claimed it; its owner has shown a document at the counter."""
    shop_id, caller = _owner(request, shop)
    given = staff_bodies.read_release(body_of(request))
    wiring.staff_desk().release_cpf(shop_id, given.cpf, who=username_of(caller), why=given.why)
    return answer(202, {"status": "accepted"})


def begin_totp(request: Any, shop: str) -> Response:
    """Give an owner the secret for an app that shows one-time passwords."""
    shop_id, caller = _owner(request, shop)
    secret = wiring.staff_pool().begin_totp(caller.token)
    uri = f"otpauth://totp/Comanda:{username_of(caller)}?secret={secret}&issuer=Comanda"
    return answer(201, {"secret": secret, "uri": f"{uri}%20{shop_id}"})


def finish_totp(request: Any, shop: str) -> Response:
    """Ask for the app's code at each sign-in from now on."""
    _, caller = _owner(request, shop)
    code = staff_bodies.read_totp(body_of(request))
    wiring.staff_pool().finish_totp(caller.token, username_of(caller), code=code)
    return answer(204, None)


def _owner(request: Any, shop: str) -> tuple[ShopId, Caller]:
    shop_id = shop_of(shop)
    caller = caller_in(request, shop_id)
    demand(caller, "owner")
    return shop_id, caller
