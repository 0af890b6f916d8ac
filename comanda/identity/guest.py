"""Tokens for guests: who orders without a name gets one that we sign, good for a visit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from comanda.identity.tokens import ALGORITHM
from comanda.identity.verifier import GUEST_PREFIX
from comanda.ids import ShopId

GUEST_CLIENT = "guest"
VALID_FOR = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestToken:
    """A signed token, its subject and how long it is good for."""

    access_token: str
    subject: str
    expires_in: timedelta


class GuestSigner:
    """Sign guests' tokens with our own RSA key; others verify them with its public half."""

    def __init__(self, *, issuer: str, key_id: str, private_key_pem: str) -> None:
        from jose import jwk

        self._issuer = issuer
        self._key_id = key_id
        self._key: Any = jwk.construct(private_key_pem, ALGORITHM)

    def sign(
        self, shop_id: ShopId, *, kiosk: str, now: datetime, new: Callable[[], UUID]
    ) -> GuestToken:
        """Sign a token for one visit at one kiosk of one shop."""
        from jose import jws

        subject = f"{GUEST_PREFIX}{new()}"
        issued_at = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "sub": subject,
            "iat": issued_at,
            "exp": issued_at + int(VALID_FOR.total_seconds()),
            "jti": str(new()),
            "token_use": "access",
            "client_id": GUEST_CLIENT,
            "shop": str(shop_id),
            "kiosk": kiosk,
        }
        token = jws.sign(claims, self._key, headers={"kid": self._key_id}, algorithm=ALGORITHM)
        return GuestToken(access_token=token, subject=subject, expires_in=VALID_FOR)

    def jwks(self) -> dict[str, Any]:
        """Give the public key as a JWKS document."""
        public = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in self._key.public_key().to_dict().items()
        }
        return {"keys": [{**public, "kid": self._key_id, "use": "sig", "alg": ALGORITHM}]}
