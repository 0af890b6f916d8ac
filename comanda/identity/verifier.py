"""A token arrives, an `Identity` leaves, or a refusal; nothing in between is believed."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from comanda.identity.keys import (
    Clock,
    Fetch,
    FetchNeeded,
    KeySet,
    KeysUnavailable,
    fetch_jwks,
)
from comanda.identity.tokens import InvalidToken, parse
from comanda.ids import InvalidShopId, ShopId, is_id

__all__ = [
    "FetchNeeded",
    "Identity",
    "InvalidToken",
    "KeysUnavailable",
    "Kind",
    "TokenVerifier",
    "TrustedIssuer",
]

GUEST_PREFIX = "guest:"
# The clocks of two machines differ by seconds at worst; NTP keeps them far closer than this.
LEEWAY = timedelta(seconds=30)


class Kind(StrEnum):
    """Who stands at the counter."""

    GUEST = "guest"
    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustedIssuer:
    """An issuer, where its keys are, the one client it serves, and whom its tokens name."""

    issuer: str
    jwks_url: str
    client_id: str
    kind: Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Whom a verified token names, and in which shop.

    A customer's subject is the customer's id of ours, a guest's is `guest:<uuid>`, a member of
    staff's is the Cognito `sub`. Only staff have groups.
    """

    subject: str
    shop_id: ShopId
    kind: Kind
    groups: frozenset[str]


class TokenVerifier:
    """Verify access tokens of the trusted issuers: RS256, one key by its id, all claims ours."""

    def __init__(
        self, issuers: Sequence[TrustedIssuer], *, clock: Clock, fetch: Fetch = fetch_jwks
    ) -> None:
        self._clock = clock
        self._issuers = {
            trusted.issuer: (trusted, KeySet(trusted.jwks_url, fetch=fetch, clock=clock))
            for trusted in issuers
        }

    def verify(self, token: str, *, may_fetch: bool = True) -> Identity:
        """Give whom the token names; raise `InvalidToken` or `KeysUnavailable`.

        With `may_fetch` false it takes a fraction of a millisecond and does no I/O; it raises
        `FetchNeeded` when the issuer's keys are not at hand.
        """
        unverified = parse(token)
        issuer = unverified.claims.get("iss")
        known = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if known is None:
            raise InvalidToken("issuer")
        trusted, keys = known
        # Cheap refusals come before the signature; a claim is believed only after it.
        self._check_times(unverified.claims)
        _check_use(unverified.claims, trusted)
        identity = _identity(unverified.claims, trusted.kind)
        _check_signature(token, keys.find(unverified.key_id, may_fetch=may_fetch))
        return identity

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock().timestamp()
        leeway = LEEWAY.total_seconds()
        # Written so that NaN, which Python's JSON lets in, fails every comparison.
        if not _instant(claims, "exp") > now - leeway:
            raise InvalidToken("expired")
        if not _instant(claims, "iat") <= now + leeway:
            raise InvalidToken("issued in the future")
        if "nbf" in claims and not _instant(claims, "nbf") <= now + leeway:
            raise InvalidToken("not yet valid")


def _instant(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(f"no {name}")
    return value


def _check_use(claims: Mapping[str, Any], trusted: TrustedIssuer) -> None:
    if claims.get("token_use") != "access":
        raise InvalidToken("not an access token")
    # Cognito's access tokens carry no `aud`; the client's id is what says whom they are for.
    if claims.get("client_id") != trusted.client_id:
        raise InvalidToken("client")


def _check_signature(token: str, key: Any) -> None:
    # `parse` has pinned the algorithm, and the key was constructed for that one alone, so the
    # library need not read the token a second time.
    signed, _, signature = token.rpartition(".")
    try:
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        is_right = key.verify(signed.encode(), raw)
    except (ValueError, TypeError, AttributeError) as exc:
        # Hostile input ends in one of these; each of them means "no".
        raise InvalidToken("signature") from exc
    if is_right is not True:
        raise InvalidToken("signature")


def _identity(claims: Mapping[str, Any], kind: Kind) -> Identity:
    try:
        shop_id = ShopId(_text(claims, "shop"))
    except InvalidShopId as exc:
        raise InvalidToken("shop") from exc
    return Identity(
        subject=_subject(claims, kind),
        shop_id=shop_id,
        kind=kind,
        groups=_groups(claims) if kind is Kind.STAFF else frozenset(),
    )


def _subject(claims: Mapping[str, Any], kind: Kind) -> str:
    subject = _text(claims, "sub")
    if kind is Kind.GUEST:
        if not subject.startswith(GUEST_PREFIX) or not is_id(subject.removeprefix(GUEST_PREFIX)):
            raise InvalidToken("sub")
        return subject
    if kind is Kind.CUSTOMER:
        # Cognito makes up `sub`; the username is our UUID, which all events know the customer by.
        username = _text(claims, "username")
        if not is_id(username):
            raise InvalidToken("username")
        return username
    return subject


def _groups(claims: Mapping[str, Any]) -> frozenset[str]:
    groups = claims.get("cognito:groups", [])
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise InvalidToken("groups")
    return frozenset(groups)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidToken(f"no {name}")
    return value
