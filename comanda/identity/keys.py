"""The public keys of one issuer: fetched when needed, kept, and never asked for in a flood."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from comanda.identity.tokens import ALGORITHM, InvalidToken

log = logging.getLogger(__name__)

FRESH_FOR = timedelta(hours=6)
REFRESH_EVERY = timedelta(seconds=30)
# Without a single key nobody gets in, so a start beside a slow issuer tries again sooner.
FIRST_RETRY = timedelta(seconds=1)
_BODY_LIMIT = 64 * 1024
_SMALLEST_MODULUS = 340  # Characters of base64 in 2048 bits, less a leading zero byte or two.

Fetch = Callable[[str], Mapping[str, Any]]
Clock = Callable[[], datetime]


class KeysUnavailable(Exception):
    """The issuer's keys could not be fetched, so nothing can be said about the token."""


class FetchNeeded(Exception):
    """The keys must be fetched first, and the caller would not wait for that."""


def fetch_jwks(url: str) -> Mapping[str, Any]:
    """Fetch a JWKS document within three seconds; raise `KeysUnavailable`."""
    import urllib3

    timeout = urllib3.Timeout(connect=1.0, read=2.0)
    try:
        with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
            answer = pool.request("GET", url, preload_content=False)
            body = answer.read(_BODY_LIMIT + 1, decode_content=True)
            answer.release_conn()
        document = json.loads(body) if answer.status == 200 else None
    except (urllib3.exceptions.HTTPError, OSError, ValueError, RecursionError) as exc:
        raise KeysUnavailable(f"cannot fetch keys: {type(exc).__name__}") from exc
    if not isinstance(document, dict) or len(body) > _BODY_LIMIT:
        raise KeysUnavailable(f"cannot fetch keys: status {answer.status}")
    return document


class KeySet:
    """Find a key by its id; a stale key serves while the issuer is down."""

    def __init__(self, url: str, *, fetch: Fetch, clock: Clock) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, Any] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None

    def find(self, key_id: str, *, may_fetch: bool = True) -> Any:
        """Give the constructed key; raise `InvalidToken` if unknown, or `KeysUnavailable`.

        With `may_fetch` false it never blocks, and raises `FetchNeeded` where it would fetch.
        """
        if not self._has_fresh(key_id):
            if not may_fetch and self._may_refresh():
                raise FetchNeeded
            # One thread fetches; whoever waited for it looks again before it asks, too.
            with self._lock:
                if not self._has_fresh(key_id) and self._may_refresh():
                    self._refresh()
        key = self._keys.get(key_id)
        if key is not None:
            return key
        if self._fetched_at is None or self._fetched_at != self._tried_at:
            raise KeysUnavailable("the issuer's keys could not be fetched")
        raise InvalidToken("unknown key")

    def _has_fresh(self, key_id: str) -> bool:
        fetched_at = self._fetched_at
        return (
            fetched_at is not None
            and key_id in self._keys
            and self._clock() - fetched_at < FRESH_FOR
        )

    def _may_refresh(self) -> bool:
        pause = REFRESH_EVERY if self._keys else FIRST_RETRY
        return self._tried_at is None or self._clock() - self._tried_at >= pause

    def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            document = self._fetch(self._url)
        except KeysUnavailable as exc:
            log.warning("keys not refreshed", extra={"url": self._url, "reason": str(exc)})
            return
        self._keys = construct_keys(document)
        self._fetched_at = self._tried_at


def construct_keys(document: Mapping[str, Any]) -> dict[str, Any]:
    """Construct the RSA signing keys of a JWKS document; what is not one is left out."""
    from jose import jwk
    from jose.exceptions import JWKError

    keys: dict[str, Any] = {}
    entries = document.get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if _is_signing_key(entry):
            try:
                keys[entry["kid"]] = jwk.construct(entry, ALGORITHM)
            except (JWKError, ValueError, TypeError) as exc:
                log.warning("key not usable", extra={"reason": type(exc).__name__})
    return keys


def _is_signing_key(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("kty") == "RSA"
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", ALGORITHM) == ALGORITHM
        and all(isinstance(entry.get(name), str) for name in ("kid", "n", "e"))
        and len(entry["n"]) >= _SMALLEST_MODULUS
    )
