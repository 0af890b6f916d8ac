"""Tokens for a benchmark: a key of its own, and whoever stands at the counter or in the kitchen."""

import json
import time
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt

from benchmarks.orders.filling import SHOP
from comanda.identity.guest import GUEST_CLIENT

_ISSUERS = {name: f"https://{name}.test" for name in ("guest", "staff", "customer")}
_CLIENTS = {"guest": GUEST_CLIENT, "staff": "staff", "customer": "customer"}


class Badges:
    """Sign tokens of one key; `environment` makes a process believe them."""

    def __init__(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    @property
    def jwks(self) -> dict[str, Any]:
        """Give the key set that verifies all of them."""
        public = jwk.construct(self._private, "RS256").public_key().to_dict()
        plain: dict[str, Any] = json.loads(json.dumps(public, default=bytes.decode))
        return {"keys": [{**plain, "kid": "k1", "use": "sig"}]}

    def guest(self, number: int) -> str:
        """Sign a guest's token."""
        return self._signed("guest", f"guest:{UUID(int=number)}")

    def cook(self) -> str:
        """Sign a token of the kitchen."""
        return self._signed("staff", str(UUID(int=1)), groups=("kitchen",))

    def environment(self, jwks_url: str) -> dict[str, str]:
        """Give the settings of identity."""
        settings = {"COMANDA_CUSTOMER_CLIENT_ID": "customer", "COMANDA_STAFF_CLIENT_ID": "staff"}
        for name, issuer in _ISSUERS.items():
            settings[f"COMANDA_{name.upper()}_ISSUER"] = issuer
            settings[f"COMANDA_{name.upper()}_JWKS_URL"] = jwks_url
        return settings

    def _signed(self, kind: str, subject: str, *, groups: tuple[str, ...] = ()) -> str:
        now = int(time.time())
        claims = {
            "iss": _ISSUERS[kind],
            "client_id": _CLIENTS[kind],
            "token_use": "access",
            "sub": subject,
            "username": subject,
            "shop": SHOP,
            "cognito:groups": list(groups),
            "iat": now,
            "exp": now + 3600,
        }
        return str(jwt.encode(claims, self._private, algorithm="RS256", headers={"kid": "k1"}))
