"""What all routes have in common: reading a request, rendering an answer, and every refusal."""

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chalice.app import Response

from comanda.ids import InvalidShopId, ShopId

from . import wiring
from .aws import Unavailable
from .problems import Problem
from .refusals import NoProfile, SignInRefused, Throttled

if TYPE_CHECKING:
    from .callers import Caller
    from .cognito import Tokens

log = logging.getLogger("auth_lambda")

_BODY_LIMIT = 8 * 1024
Headers = dict[str, str | list[str]]
_RETRY_AFTER = timedelta(seconds=2)
# As `comanda.forwarding` has it, which is loaded only for requests of our screens.
_TOLD = "x-comanda-client"


def respond(module: str, route: str, *arguments: Any) -> Response:
    """Run a route; every way it can end has a status, and outages ask the client to come back.

    Routes are loaded when they are first asked for: a cold start pays for its own request alone.
    """
    try:
        response: Response = getattr(import_module(f".{module}", __package__), route)(*arguments)
    except Problem as problem:
        response = _refusal(problem)
    except SignInRefused:
        response = _refusal(
            Problem(401, "Sign-in refused", detail="start again, or check what was typed")
        )
    except NoProfile:
        response = _refusal(Problem(404, "Not found"))
    except Throttled as exc:
        response = _refusal(Problem(429, "Too many requests", retry_after=exc.retry_after))
    except Unavailable as exc:
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


def shop_of(text: str) -> ShopId:
    """Read the shop of a path; 404 for one that is not served here."""
    try:
        shop_id = ShopId(text)
    except InvalidShopId:
        shop_id = None
    if shop_id is None or shop_id not in wiring.settings().shops:
        raise Problem(404, "Unknown shop", detail="no shop of this name is served here")
    return shop_id


def caller_in(request: Any, shop_id: ShopId) -> "Caller":
    """Give who calls; 401 without a good token."""
    from .callers import caller_of

    return caller_of(request, shop_id, verifier=wiring.verifier())


def address_of(request: Any) -> str:
    """Give the address on the network for which requests are counted; a client cannot choose it.

    It is the one that API Gateway saw, or the browser's, where our own screens vouch for it.
    """
    if (text := request.headers.get(_TOLD)) and (address := _told_address(request, text)):
        return address
    identity = (request.context or {}).get("identity") or {}
    return str(identity.get("sourceIp") or "unknown")


def body_of(request: Any) -> Mapping[str, object]:
    """Read a JSON object of 8 KiB at most."""
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


def rendered(tokens: "Tokens") -> dict[str, Any]:
    """Give tokens as OAuth does (RFC 6749, section 5.1)."""
    return {
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": int(tokens.expires_in.total_seconds()),
        "refresh_token": tokens.refresh_token,
    }


def answer(
    status: int, body: Mapping[str, Any] | None, *, cache: str = "no-store", etag: str = ""
) -> Response:
    """Render an answer; None is no content."""
    headers: Headers = {"Content-Type": "application/json", "Cache-Control": cache}
    if etag:
        headers["ETag"] = etag
    if body is None:
        headers.pop("Content-Type")
    text = "" if body is None else json.dumps(body)
    return Response(text, status_code=status, headers=headers)


def _told_address(request: Any, text: str) -> str | None:
    from comanda.forwarding import Target

    context = request.context or {}
    # Not the path as it came: before it API Gateway may put the name of its stage.
    path = str(context.get("resourcePath", ""))
    for name, value in (request.uri_params or {}).items():
        path = path.replace(f"{{{name}}}", value)
    return wiring.screens().address_in(text, target=Target(method=request.method, path=path))


def _refusal(problem: Problem) -> Response:
    headers: Headers = {**problem.headers}
    return Response(json.dumps(problem.document), status_code=problem.status, headers=headers)
