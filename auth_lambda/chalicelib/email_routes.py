"""A customer's change of e-mail over HTTP: asked for, and confirmed."""

from typing import Any

from chalice.app import Response

from . import bodies, changes, wiring
from .callers import customer_in, demand_fresh
from .email_changes import EmailTaken
from .problems import Problem
from .registry import Outdated
from .routes import address_of, answer, body_of, caller_in, shop_of


def ask_for_email(request: Any, shop: str) -> Response:
    """Mail a code to the new address; the answer is the same whoever has it."""
    shop_id = shop_of(shop)
    caller = caller_in(request, shop_id)
    customer_id = customer_in(caller)
    email = bodies.read_email(body_of(request))
    # Whoever gets hold of an account's address gets hold of the account.
    demand_fresh(caller, now=wiring.now())
    session = changes.email_changes().ask(shop_id, customer_id, email, address=address_of(request))
    return answer(202, {"status": "accepted", "session": session})


def confirm_email(request: Any, shop: str) -> Response:
    """Put the address that the code proves in the place of the old one."""
    shop_id = shop_of(shop)
    customer_id = customer_in(caller_in(request, shop_id))
    given = bodies.read_answer(body_of(request))
    try:
        changes.email_changes().confirm(
            shop_id,
            customer_id,
            session=given.session,
            code=given.code,
            address=address_of(request),
        )
    except EmailTaken as exc:
        raise Problem(
            409, "E-mail taken", detail="this address has an account of its own: sign in by it"
        ) from exc
    except Outdated as exc:
        raise Problem(412, "Changed meanwhile", detail="read the profile again") from exc
    profile = wiring.profiles().read(customer_id)
    document = profile.document(today=wiring.now().date())
    return answer(200, document, etag=f'"{profile.registration.edition}"')
