"""Walk a stage's public doors as a stranger and a guest would; nothing is ordered.

What stays is a guest's token that nobody uses, and one refused notification in the quarantine.

A look fails when a door does not answer, and when one answers that should not: health alone says
nothing about a gateway that forgot to ask for tokens.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

_TRIES = 4
_NOTIFICATION = b'{"type":"order","action":"order.processed","data":{"id":"ORD0000001"}}'


@dataclass(frozen=True, kw_only=True, slots=True)
class Doors:
    """The public addresses, without a slash at the end; on a laptop they are one and the same."""

    pods: str
    auth: str
    webhooks: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One look: what was looked at, and what is wrong, or nothing."""

    what: str
    fault: str


class Closed(Exception):
    """A door answered otherwise than it should; the message says how."""


def walk(doors: Doors, *, shop: str, tries: int = _TRIES) -> Iterator[Seen]:
    """Look at each door in turn, at what is down `tries` times; a fault does not end the walk."""
    walker = _Walker(doors, shop=shop, tries=tries)
    for what, look in walker.looks():
        try:
            look()
        except (Closed, urllib3.exceptions.HTTPError, ValueError, KeyError) as exc:
            yield Seen(what=what, fault=f"{type(exc).__name__}: {exc}")
        else:
            yield Seen(what=what, fault="")


class _Walker:
    """Keeps what one look finds for the next: the guest's token."""

    def __init__(self, doors: Doors, *, shop: str, tries: int) -> None:
        self._doors, self._shop, self._token = doors, shop, ""
        self._retry = urllib3.Retry(
            total=tries - 1, backoff_factor=0.5, status_forcelist=(502, 503, 504)
        )
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5.0, read=29.0))

    def looks(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """Give all looks by what they are about."""
        return (
            ("a guest is let in", self._guest),
            ("the key of the guest's token is published", self._key),
            ("the menu is there", self._menu),
            ("orders know the guest", self._orders),
            ("orders ask for a token", lambda: self._refused("orders", "/orders")),
            ("payments ask for a token", lambda: self._refused("payments", "/charges")),
            ("the archive asks for a token", lambda: self._refused("archive", "/replays")),
            ("the screens are there", self._screens),
            ("no metrics are shown outside", self._metrics),
            ("a notification without a signature is refused", self._webhook),
        )

    def _guest(self) -> None:
        url = f"{self._doors.auth}/apis/auth/{self._shop}/guests"
        answer = self._ask("POST", url, wanted=(200, 201), body=b'{"kiosk":"smoke"}')
        self._token = str(_json(answer)["access_token"])

    def _key(self) -> None:
        header = self._token.partition(".")[0]
        kid = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]
        answer = self._ask("GET", f"{self._doors.auth}/apis/auth/jwks.json")
        if kid not in {key.get("kid") for key in _json(answer)["keys"]}:
            raise Closed(f"no key is called {kid}")

    def _menu(self) -> None:
        if not _json(self._ask("GET", self._of("catalog", "/menu")))["products"]:
            raise Closed("there is nothing on it")

    def _orders(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        found = _json(self._ask("GET", self._of("orders", "/orders"), headers=headers))
        if found["orders"]:
            raise Closed("a new guest has orders already")

    def _refused(self, context: str, path: str) -> None:
        self._ask("GET", self._of(context, path), wanted=(401,))

    def _screens(self) -> None:
        answer = self._ask("GET", f"{self._doors.pods}/loja/{self._shop}/pedir")
        if b"<html" not in answer.data:
            raise Closed("it is no page")

    def _metrics(self) -> None:
        self._ask("GET", f"{self._doors.pods}/metrics", wanted=(403, 404))

    def _webhook(self) -> None:
        path = f"/webhooks/mercadopago/{self._shop}?data.id=ORD0000001&type=order"
        headers = {"x-signature": f"ts=1766455693,v1={'0' * 64}", "x-request-id": "smoke"}
        url = f"{self._doors.webhooks}{path}"
        self._ask("POST", url, wanted=(401,), body=_NOTIFICATION, headers=headers)

    def _of(self, context: str, path: str) -> str:
        return f"{self._doors.pods}/apis/{context}/{self._shop}{path}"

    def _ask(
        self,
        method: str,
        url: str,
        *,
        wanted: tuple[int, ...] = (200,),
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        more = {"Content-Type": "application/json"} if body is not None else {}
        answer = self._pool.request(
            method, url, body=body, headers={**more, **(headers or {})}, retries=self._retry
        )
        if answer.status not in wanted:
            raise Closed(f"{method} {url}: {answer.status}, and {wanted[0]} is right")
        return answer


def _json(answer: urllib3.BaseHTTPResponse) -> Any:
    return json.loads(answer.data)
