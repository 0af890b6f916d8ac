"""Tokens good and bad, issuers that may be down, and a clock that obeys."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from jose import jwk

from comanda.identity.verifier import (
    KeysUnavailable,
    Kind,
    TokenVerifier,
    TrustedIssuer,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SHOP = "lanchonete-da-ana"
CUSTOMERS = "https://customers.test"
STAFF = "https://staff.test"
GUESTS = "https://guests.test"
CUSTOMER_ID = str(UUID(int=7, version=4))
GUEST_ID = f"guest:{UUID(int=8, version=4)}"

OURS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
THEIRS = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def public(key: rsa.RSAPrivateKey, kid: str) -> dict[str, Any]:
    members = jwk.construct(pem(key).decode(), "RS256").to_dict()
    return {
        **{name: v.decode() if isinstance(v, bytes) else v for name, v in members.items()},
        "kid": kid,
        "use": "sig",
    }


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(
    claims: Mapping[str, Any],
    *,
    key: rsa.RSAPrivateKey = OURS,
    header: Mapping[str, Any] | None = None,
) -> str:
    head = {"alg": "RS256", "kid": "k1"} if header is None else header
    text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{text}.{b64(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def customer(**changes: Any) -> dict[str, Any]:
    """Claims of a good customer's token; None removes one."""
    claims = {
        "iss": CUSTOMERS,
        "sub": "8f0c0000-0000-4000-8000-000000000000",
        "username": CUSTOMER_ID,
        "iat": int(NOW.timestamp()) - 60,
        "exp": int(NOW.timestamp()) + 840,
        "token_use": "access",
        "client_id": "web",
        "shop": SHOP,
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def staff(**changes: Any) -> dict[str, Any]:
    base = {"iss": STAFF, "client_id": "desk", "username": "kitchen", "cognito:groups": ["kitchen"]}
    return customer(**(base | changes))


def guest(**changes: Any) -> dict[str, Any]:
    base = {"iss": GUESTS, "client_id": "guest", "sub": GUEST_ID, "username": None}
    return customer(**(base | changes))


class Issuers:
    """Serve keys, count how often they are asked for, and go down when told to."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {
            f"{CUSTOMERS}/jwks": {"keys": [public(OURS, "k1")]},
            f"{STAFF}/jwks": {"keys": [public(OURS, "k1")]},
            f"{GUESTS}/jwks": {"keys": [public(OURS, "k1")]},
        }
        self.fetches = 0
        self.is_down = False

    def fetch(self, url: str) -> Mapping[str, Any]:
        self.fetches += 1
        if self.is_down:
            raise KeysUnavailable("down")
        return self.documents[url]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def verifier_of(issuers: Issuers, clock: Clock) -> TokenVerifier:
    """A verifier of all three kinds."""
    trusted = [
        TrustedIssuer(issuer=issuer, jwks_url=f"{issuer}/jwks", client_id=client, kind=kind)
        for issuer, client, kind in (
            (CUSTOMERS, "web", Kind.CUSTOMER),
            (STAFF, "desk", Kind.STAFF),
            (GUESTS, "guest", Kind.GUEST),
        )
    ]
    return TokenVerifier(trusted, clock=clock, fetch=issuers.fetch)
