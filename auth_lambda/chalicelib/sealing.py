"""Texts that rest in the table for a while, and are no use to whoever copies it."""

import base64
import hmac
import secrets
from hashlib import sha256

_NONCE = 12


class Broken(Exception):
    """The sealed text was made with another key, for another place, or was changed."""


def derive(key: bytes, purpose: str) -> bytes:
    """Give 256 bits of the key that are good for this purpose alone."""
    return hmac.new(key, f"seal\0{purpose}".encode(), sha256).digest()


def seal(key: bytes, text: str, *, place: str) -> str:
    """Encrypt (AES-256-GCM, a random nonce), so that it opens in this place only."""
    # Loaded when first needed: nothing of it belongs into a cold start.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), place.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(key: bytes, sealed: str, *, place: str) -> str:
    """Decrypt; raise `Broken`."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    raw = base64.b64decode(sealed)
    try:
        return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], place.encode()).decode()
    except InvalidTag as exc:
        raise Broken from exc
