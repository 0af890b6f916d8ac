"""From a request to an answer: read, call the use case, render; the one place that knows HTTP."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from chalice.app import Response

from comanda.ids import InvalidShopId, ShopId
from comanda.messaging.ports import MessagingUnavailable

from . import bodies, wiring
from .aws import Unavailable
from .cognito import SignInRefused, Tokens
from .problems import Problem
from .throttle import Throttled

log = logging.getLogger("auth_lambda")

_BODY_LIMIT = 8 * 1024
Headers = dict[str, str | list[str]]
_RETRY_AFTER = timedelta(seconds=2)


def create_guest(request: Any, shop: str) -> Response:
    """Give a guest a token for one visit."""
    shop_id = _shop(shop)
    kiosk = bodies.read_kiosk(_body(request))
    token = wiring.guest_signer().sign(shop_id, kiosk=kiosk, now=wiring.now(), new=uuid4)
    return _answer(
        201,
        {
            "access_token": token.access_token,
            "token_type": "Bearer",
            "expires_in": int(token.expires_in.total_seconds()),
        },
    )


def create_customer(request: Any, shop: str) -> Response:
    """Take a sign-up; the answer is the same whether or not the person is known."""
    shop_id = _shop(shop)
    applicant = bodies.read_applicant(_body(request))
    wiring.sign_up().register(shop_id, applicant)
    return _answer(202, {"status": "accepted"})


def create_challenge(request: Any, shop: str) -> Response:
    """Send a code, if there is whom to send it to, and give a session in any case."""
    shop_id = _shop(shop)
    person = bodies.read_person(_body(request))
    return _answer(200, {"session": wiring.sign_in().challenge(shop_id, person)})


def create_tokens(request: Any, shop: str) -> Response:
    """Trade a code for tokens."""
    shop_id = _shop(shop)
    given = bodies.read_answer(_body(request))
    tokens = wiring.sign_in().answer(shop_id, session=given.session, code=given.code)
    return _answer(200, _rendered(tokens))


def create_staff_tokens(request: Any, shop: str) -> Response:
    """Trade a password for tokens."""
    shop_id = _shop(shop)
    given = bodies.read_credentials(_body(request))
    tokens = wiring.staff_sign_in().sign_in(
        shop_id, username=given.username, password=given.password
    )
    return _answer(200, _rendered(tokens))


def show_keys() -> Response:
    """Publish the key with which guests' tokens are verified."""
    return _answer(200, wiring.guest_signer().jwks(), cache="public, max-age=300")


def respond(route: str, work: Callable[[], Response]) -> Response:
    """Run a route; every way it can end has a status, and outages ask the client to come back."""
    try:
        response = work()
    except Problem as problem:
        response = _refusal(problem)
    except SignInRefused:
        response = _refusal(
            Problem(401, "Sign-in refused", detail="start again, or check what was typed")
        )
    except Throttled as exc:
        response = _refusal(Problem(429, "Too many requests", retry_after=exc.retry_after))
    except (Unavailable, MessagingUnavailable) as exc:
        log.warning("dependency down", extra={"route": route, "reason": str(exc)})
        response = _refusal(
            Problem(
                503,
                "Service unavailable",
                detail="a part that this answer needs is down",
                retry_after=_RETRY_AFTER,
            )
        )
    log.info("request answered", extra={"route": route, "status": response.status_code})
    return response


def _shop(text: str) -> ShopId:
    try:
        shop_id = ShopId(text)
    except InvalidShopId:
        shop_id = None
    if shop_id is None or shop_id not in wiring.settings().shops:
        raise Problem(404, "Unknown shop", detail="no shop of this name is served here")
    return shop_id


def _body(request: Any) -> Mapping[str, object]:
    # Chalice's own `json_body` gives None or raises RecursionError where a client needs to be told.
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "Unsupported media type", detail="send application/json")
    raw = request.raw_body
    if len(raw) > _BODY_LIMIT:
        raise Problem(413, "Content too large", detail=f"at most {_BODY_LIMIT} bytes are read")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise Problem(400, "Malformed body", detail="the body is not JSON") from exc
    if not isinstance(body, dict):
        raise Problem(422, "Invalid request", detail="a JSON object is needed")
    return body


def _rendered(tokens: Tokens) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": int(tokens.expires_in.total_seconds()),
        "refresh_token": tokens.refresh_token,
    }


def _answer(status: int, body: Mapping[str, Any], *, cache: str = "no-store") -> Response:
    headers: Headers = {"Content-Type": "application/json", "Cache-Control": cache}
    return Response(json.dumps(body), status_code=status, headers=headers)


def _refusal(problem: Problem) -> Response:
    headers: Headers = {**problem.headers}
    return Response(json.dumps(problem.document), status_code=problem.status, headers=headers)
