"""Check tokens before a function is called, as a Cognito authorizer of API Gateway does."""

from collections.abc import Callable, Mapping
from typing import Any

from comanda.identity.tokens import parse
from comanda.identity.verifier import InvalidToken, KeysUnavailable, TokenVerifier

Claims = Mapping[str, Any]
# Gives the claims of a good token; raises `InvalidToken` or `KeysUnavailable`.
Authorize = Callable[[str], Claims]

__all__ = ["Authorize", "Claims", "InvalidToken", "KeysUnavailable", "authorize_with", "token_in"]


def authorize_with(verifier: TokenVerifier) -> Authorize:
    """Make the check that believes a token's claims only after verifying it."""

    def authorize(token: str) -> Claims:
        verifier.verify(token)
        return parse(token).claims

    return authorize


def token_in(headers: list[tuple[str, str]]) -> str:
    """Give the token of a request's headers, with or without `Bearer`; empty when there is none."""
    found = [value for name, value in headers if name.lower() == "authorization"]
    if len(found) != 1:
        return ""
    scheme, _, token = found[0].strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else found[0].strip()
