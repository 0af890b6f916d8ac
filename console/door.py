"""Ask the public door for JSON in the name of a member of staff; retry what is safe to repeat."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

from console.places import Login
from console.tokens import TokenFiles

_AGAIN = frozenset({425, 429, 500, 502, 503, 504})
_TRIES = 8
_TOKEN_SECONDS = 600.0
JSON = Mapping[str, Any]


class DoorClosed(Exception):
    """The door did not answer as it should; the text quotes it."""


class DoorRefused(DoorClosed):
    """The door understood and said no (4xx)."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Door:
    """One public address; tokens are fetched once per shop, and found again in `kept` ones."""

    def __init__(
        self, url: str, *, logins: Mapping[str, Login], kept: TokenFiles | None = None
    ) -> None:
        self._kept = kept
        self._url = url.rstrip("/")
        self._logins = logins
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3.0, read=60.0))
        self._tokens: dict[str, tuple[str, float]] = {}

    def read(self, shop: str, path: str, **query: object) -> JSON:
        """Read a resource as the shop's staff; raise `DoorClosed`."""
        asked = f"{path}?{urlencode(query)}" if query else path
        content: JSON = json.loads(self._as_staff(shop, "GET", asked))
        return content

    def fetch(self, shop: str, path: str) -> bytes:
        """Read a resource that is no JSON; raise `DoorClosed`."""
        return self._as_staff(shop, "GET", path)

    def send(
        self,
        shop: str,
        path: str,
        *,
        body: Mapping[str, object] | bytes = b"",
        media_type: str = "application/json",
        query: Mapping[str, str] | None = None,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> JSON:
        """Change something, and ask once only: an answer that is lost may have been a yes.

        `method` is POST, PUT or PATCH.
        """
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        target = f"{path}?{urlencode(query)}" if query else path
        content: JSON = json.loads(
            self._as_staff(
                shop, method, target, raw=raw, more={"Content-Type": media_type, **(headers or {})}
            )
            or b"{}"
        )
        return content

    def pages(self, shop: str, path: str, *, items: str) -> Iterator[JSON]:
        """Read all items of a resource that comes in pages."""
        for page in self.whole_pages(shop, path):
            yield from page[items]

    def whole_pages(self, shop: str, path: str) -> Iterator[JSON]:
        """Read all pages of a resource."""
        after: dict[str, object] = {}
        while True:
            page = self.read(shop, path, limit=1000, **after)
            yield page
            if page["next"] is None:
                return
            after = {"after": page["next"]}

    def _as_staff(
        self,
        shop: str,
        method: str,
        path: str,
        *,
        raw: bytes | None = None,
        more: Mapping[str, str] | None = None,
    ) -> bytes:
        # What changes something is asked once.
        tries = _TRIES if raw is None else 1
        for is_last in (False, True):
            headers = {"Authorization": f"Bearer {self._token(shop)}", **(more or {})}
            try:
                return self._answer(method, path, headers=headers, raw=raw, tries=tries)
            except DoorRefused as exc:
                # A kept token may be of a pool that is gone; whoever signs in anew is sure.
                if exc.status != 401 or is_last or self._kept is None:
                    raise
                self._kept.forget(self._url, self._logins[shop].username)
                self._tokens.pop(shop, None)
        raise AssertionError("the last try returns or raises")

    def _token(self, shop: str) -> str:
        known = self._tokens.get(shop)
        whose = self._url, self._logins[shop].username
        if known is None and self._kept is not None and (token := self._kept.get(*whose)):
            known = self._tokens[shop] = (token, time.monotonic())
        if known is None or time.monotonic() - known[1] > _TOKEN_SECONDS:
            login = self._logins[shop]
            body = {"username": login.username, "password": login.password}
            answer = self._ask("POST", f"/apis/auth/{shop}/staff/tokens", body=body)
            known = (str(answer["access_token"]), time.monotonic())
            self._tokens[shop] = known
            if self._kept is not None:
                self._kept.put(known[0], *whose)
        return known[0]

    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> JSON:
        raw = None if body is None else json.dumps(body).encode()
        told = {**(headers or {}), **({"Content-Type": "application/json"} if raw else {})}
        content: JSON = json.loads(self._answer(method, path, headers=told, raw=raw))
        return content

    def _answer(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        raw: bytes | None = None,
        tries: int = _TRIES,
    ) -> bytes:
        fault = ""
        for turn in range(tries):
            time.sleep(min(0.2 * turn, 2.0))
            try:
                answer = self._pool.request(
                    method, self._url + path, headers=headers, body=raw, retries=False
                )
            except urllib3.exceptions.HTTPError as exc:
                fault = type(exc).__name__
                continue
            if answer.status in _AGAIN:
                fault = f"status {answer.status}"
                continue
            if 400 <= answer.status < 500:
                message = f"{method} {path}: {answer.status} {_reason(answer.data)}"
                raise DoorRefused(message, status=answer.status)
            if not 200 <= answer.status < 300:
                raise DoorClosed(f"{method} {path}: {answer.status} {answer.data[:200]!r}")
            return bytes(answer.data)
        raise DoorClosed(f"{method} {path}: {fault}")


def _reason(problem: bytes) -> str:
    try:
        told = json.loads(problem)
        return ": ".join(str(told[name]) for name in ("title", "detail") if told.get(name))
    except (ValueError, AttributeError, TypeError):
        return repr(problem[:200])
