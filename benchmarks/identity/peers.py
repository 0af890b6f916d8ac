"""The peers, each as its own documentation has it, with the key constructed once."""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk

LEEWAY_SECONDS = 30
REQUIRED = ("iss", "exp", "iat", "sub", "token_use", "client_id")


def public_jwk(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """Give the public half as a JWK."""
    members = jwk.construct(_pem(key).decode(), "RS256").to_dict()
    return {
        **{name: v.decode() if isinstance(v, bytes) else v for name, v in members.items()},
        "kid": "k1",
        "use": "sig",
        "alg": "RS256",
    }


def pyjwt(key: rsa.RSAPrivateKey, *, issuer: str, client: str) -> Callable[[str], object]:
    """Give PyJWT's decoder, with the checks that Cognito's access tokens need."""
    import jwt  # type: ignore[import-not-found,unused-ignore]  # Fetched by the benchmark.

    known = {"k1": jwt.PyJWK(public_jwk(key))}
    options = {"require": list(REQUIRED), "verify_aud": False}

    def verify(token: str) -> object:
        kid = jwt.get_unverified_header(token)["kid"]
        claims = jwt.decode(
            token,
            known[kid],
            algorithms=["RS256"],
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options=options,
        )
        if claims.get("token_use") != "access" or claims["client_id"] != client:
            raise ValueError("not for us")
        return claims

    return verify


def joserfc(key: rsa.RSAPrivateKey, *, issuer: str, client: str) -> Callable[[str], object]:
    """Give joserfc's decoder, with the same checks."""
    from joserfc import jwt
    from joserfc.jwk import KeySet

    known = KeySet.import_key_set({"keys": [public_jwk(key)]})  # type: ignore[typeddict-item]
    registry = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        token_use={"essential": True, "value": "access"},
        client_id={"essential": True, "value": client},
    )

    def verify(token: str) -> object:
        decoded = jwt.decode(token, known, algorithms=["RS256"])
        registry.validate(decoded.claims)
        return decoded.claims

    return verify


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
