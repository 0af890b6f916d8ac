"""Customers and guests over HTTP: in, who they are, and out."""

from typing import Any

from chalice.app import Response

from comanda.ids import CustomerId, ShopId

from . import bodies, wiring
from .callers import customer_in
from .families import Owner, OwnerKind
from .problems import Problem
from .profiles import Profile
from .registry import Outdated
from .routes import address_of, answer, body_of, caller_in, rendered, shop_of


def create_guest(request: Any, shop: str) -> Response:
    """Give a guest a token for one visit."""
    shop_id = shop_of(shop)
    visit = bodies.read_visit(body_of(request))
    token = wiring.guest_desk().admit(
        shop_id, kiosk=visit.kiosk, address=address_of(request), cpf=visit.cpf
    )
    return answer(
        201,
        {
            "access_token": token.access_token,
            "token_type": "Bearer",
            "expires_in": int(token.expires_in.total_seconds()),
        },
    )


def create_customer(request: Any, shop: str) -> Response:
    """Take a sign-up; the answer is the same whether or not the person is known."""
    shop_id = shop_of(shop)
    applicant = bodies.read_applicant(body_of(request), now=wiring.now())
    session = wiring.sign_in().apply(shop_id, applicant, address=address_of(request))
    return answer(202, {"status": "accepted", "session": session})


def create_challenge(request: Any, shop: str) -> Response:
    """Send a code, if there is whom to send it to, and give a session in any case."""
    shop_id = shop_of(shop)
    person = bodies.read_person(body_of(request))
    session = wiring.sign_in().challenge(shop_id, person, address=address_of(request))
    return answer(200, {"session": session})


def create_tokens(request: Any, shop: str) -> Response:
    """Trade a code for tokens."""
    shop_id = shop_of(shop)
    given = bodies.read_answer(body_of(request))
    tokens = wiring.sign_in().answer(
        shop_id, session=given.session, code=given.code, address=address_of(request)
    )
    return answer(200, rendered(tokens))


def renew_tokens(request: Any, shop: str) -> Response:
    """Trade a refresh token for new tokens; it is good once."""
    shop_id = shop_of(shop)
    token = bodies.read_refresh_token(body_of(request))
    return answer(200, rendered(wiring.visits().renew(shop_id, token)))


def revoke_tokens(request: Any, shop: str) -> Response:
    """Sign out here (as RFC 7009: what is no good token is signed out already)."""
    shop_id = shop_of(shop)
    wiring.visits().end(shop_id, bodies.read_refresh_token(body_of(request)))
    return answer(204, None)


def end_sessions(request: Any, shop: str) -> Response:
    """Sign out everywhere."""
    shop_id, customer_id = _customer(request, shop)
    owner = Owner(kind=OwnerKind.CUSTOMER, shop_id=shop_id, name=customer_id)
    wiring.visits().end_all(owner)
    return answer(204, None)


def show_profile(request: Any, shop: str) -> Response:
    """Show a customer their profile."""
    _, customer_id = _customer(request, shop)
    return _shown(wiring.profiles().read(customer_id))


def edit_profile(request: Any, shop: str) -> Response:
    """Change name or birth date, if the profile is still the one that the customer saw."""
    _, customer_id = _customer(request, shop)
    edit = bodies.read_edit(body_of(request), today=wiring.now().date())
    edition = _edition(request.headers.get("if-match", ""))
    try:
        profile = wiring.profiles().edit(customer_id, edit, edition=edition)
    except Outdated as exc:
        raise Problem(412, "Changed meanwhile", detail="read the profile again") from exc
    return _shown(profile)


def claim_cpf(request: Any, shop: str) -> Response:
    """Let a customer sign in by this CPF, if nobody else does."""
    shop_id, customer_id = _customer(request, shop)
    cpf = bodies.read_cpf(body_of(request))
    wiring.cpf_desk().claim(shop_id, customer_id, cpf)
    return answer(202, {"status": "accepted"})


def export_data(request: Any, shop: str) -> Response:
    """Give a customer all that is held about them (LGPD, art. 18, II and V)."""
    shop_id = shop_of(shop)
    caller = caller_in(request, shop_id)
    document = wiring.export().make(shop_id, customer_in(caller), token=caller.token)
    return answer(200, document)


def erase_customer(request: Any, shop: str) -> Response:
    """Forget a customer, and give the protocol number (LGPD, art. 18, VI)."""
    shop_id, customer_id = _customer(request, shop)
    receipt = wiring.erasure().erase(shop_id, customer_id)
    return answer(
        200, {"protocol": receipt.protocol, "requested_at": receipt.requested_at.isoformat()}
    )


def show_keys() -> Response:
    """Publish the key with which guests' tokens are verified."""
    return answer(200, wiring.guest_signer().jwks(), cache="public, max-age=300")


def _customer(request: Any, shop: str) -> tuple[ShopId, CustomerId]:
    shop_id = shop_of(shop)
    return shop_id, customer_in(caller_in(request, shop_id))


def _shown(profile: Profile) -> Response:
    document = profile.document(today=wiring.now().date())
    return answer(200, document, etag=f'"{profile.registration.edition}"')


def _edition(if_match: str) -> int:
    if not if_match:
        raise Problem(428, "If-Match is needed", detail="send the ETag of the profile that you saw")
    text = if_match.strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Problem(412, "Changed meanwhile", detail="read the profile again")
    return int(text)
