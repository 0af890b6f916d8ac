"""Whose access token a request carries; the same verifier as everywhere, and the same refusals."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from comanda.identity.tokens import parse
from comanda.identity.verifier import Identity, InvalidToken, KeysUnavailable, Kind, TokenVerifier
from comanda.ids import CustomerId, ShopId

from .aws import Unavailable
from .problems import Problem

_FRESH_FOR = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who calls, with the token: Cognito wants it for what only its bearer may do."""

    identity: Identity
    token: str


def caller_of(request: Any, shop_id: ShopId, *, verifier: TokenVerifier) -> Caller:
    """Verify the bearer token; 401 without a good one, 404 when it is another shop's."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(401, "A bearer token is needed", challenge='Bearer realm="comanda"')
    try:
        identity = verifier.verify(token)
    except InvalidToken as exc:
        raise Problem(
            401, "This token is not good here", challenge='Bearer realm="comanda"'
        ) from exc
    except KeysUnavailable as exc:
        raise Unavailable("the issuer's keys") from exc
    if identity.shop_id != shop_id:
        raise Problem(404, "Not found")
    return Caller(identity=identity, token=token)


def customer_in(caller: Caller) -> CustomerId:
    """Give the customer who calls; guests and staff have no profile."""
    if caller.identity.kind is not Kind.CUSTOMER:
        raise Problem(403, "Only customers have a profile", detail="sign in as a customer")
    return CustomerId(caller.identity.subject)


def demand_fresh(caller: Caller, *, now: datetime) -> None:
    """Let only those go on who have shown lately who they are.

    Cognito keeps the time of the sign-in (`auth_time`) in what a refresh gives, so a token that was
    stolen, or that a stolen refresh token made, is of little use here.
    """
    signed_in_at = parse(caller.token).claims.get("auth_time")
    if type(signed_in_at) is not int or now.timestamp() - signed_in_at > _FRESH_FOR.total_seconds():
        raise Problem(403, "Sign in again", detail="this needs a sign-in of the last ten minutes")


def demand(caller: Caller, *groups: str) -> None:
    """Let staff of these groups go on, and nobody else."""
    identity = caller.identity
    if identity.kind is not Kind.STAFF or not identity.groups & set(groups):
        raise Problem(403, "This needs another role", detail=f"one of: {', '.join(groups)}")


def username_of(caller: Caller) -> str:
    """Give the username of a member of staff, whose identity is Cognito's `sub`."""
    return str(parse(caller.token).claims["username"])
