"""Ask the public door for JSON in the name of a member of staff; retry what is safe to repeat."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

from console.places import Login

_AGAIN = frozenset({425, 429, 500, 502, 503, 504})
_TRIES = 8
_TOKEN_SECONDS = 600.0
JSON = Mapping[str, Any]


class DoorClosed(Exception):
    """The door did not answer as it should; the text quotes it."""


class Door:
    """One public address; tokens are fetched once per shop."""

    def __init__(self, url: str, *, logins: Mapping[str, Login]) -> None:
        self._url = url.rstrip("/")
        self._logins = logins
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3.0, read=60.0))
        self._tokens: dict[str, tuple[str, float]] = {}

    def read(self, shop: str, path: str, **query: object) -> JSON:
        """Read a resource as the shop's staff; raise `DoorClosed`."""
        headers = {"Authorization": f"Bearer {self._token(shop)}"}
        asked = f"{path}?{urlencode(query)}" if query else path
        return self._ask("GET", asked, headers=headers)

    def pages(self, shop: str, path: str, *, items: str) -> Iterator[JSON]:
        """Read all items of a resource that comes in pages."""
        after: dict[str, object] = {}
        while True:
            page = self.read(shop, path, limit=1000, **after)
            yield from page[items]
            if page["next"] is None:
                return
            after = {"after": page["next"]}

    def _token(self, shop: str) -> str:
        known = self._tokens.get(shop)
        if known is None or time.monotonic() - known[1] > _TOKEN_SECONDS:
            login = self._logins[shop]
            body = {"username": login.username, "password": login.password}
            answer = self._ask("POST", f"/apis/auth/{shop}/staff/tokens", body=body)
            known = (str(answer["access_token"]), time.monotonic())
            self._tokens[shop] = known
        return known[0]

    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> JSON:
        fault = ""
        for tries in range(_TRIES):
            time.sleep(min(0.2 * tries, 2.0))
            try:
                answer = self._pool.request(
                    method, self._url + path, headers=headers, json=body, retries=False
                )
            except urllib3.exceptions.HTTPError as exc:
                fault = type(exc).__name__
                continue
            if answer.status in _AGAIN:
                fault = f"status {answer.status}"
                continue
            if answer.status != 200:
                raise DoorClosed(f"{method} {path}: {answer.status} {answer.data[:200]!r}")
            content: JSON = json.loads(answer.data)
            return content
        raise DoorClosed(f"{method} {path}: {fault}")
