"""A client of the Orders API over one pool of connections: deadlines, bounded retries, exact bytes.

Refusals (`MercadoPagoRefused`, `OrderNotFound`) will never work; outages (`MercadoPagoUnavailable`,
`MercadoPagoUnauthorized`) leave it open whether the provider acted, so ask again with the same key.

MercadoPagoError
+-- MercadoPagoRefused(code, status)
+-- OrderNotFound
+-- MercadoPagoUnavailable(retry_after)
    +-- MercadoPagoUnauthorized
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from comanda.mercadopago.payloads import (
    ProviderOrder,
    UnreadablePayload,
    error_code,
    order_from,
    read_json,
    read_order,
)

CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0
DEADLINE_SECONDS = 20.0
ATTEMPTS = 4
LONGEST_PAUSE = 60.0
_AGAIN = frozenset({423, 424, 429, 500, 502, 503, 504})


class MercadoPagoError(Exception):
    """Something about the provider; see the tree in this module's text."""


class MercadoPagoRefused(MercadoPagoError):
    """The provider will not do this, however often it is asked."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"refused with {code} ({status})")
        self.code = code
        self.status = status


class OrderNotFound(MercadoPagoError):
    """The provider has no such order, or not for this account."""


class MercadoPagoUnavailable(MercadoPagoError):
    """There was no usable answer; `retry_after` is the provider's wish, if it had one."""

    def __init__(self, detail: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class MercadoPagoUnauthorized(MercadoPagoUnavailable):
    """The access token is not good; a new one may be on its way, so this heals."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    status: int
    body: bytes
    retry_after: timedelta | None


class MercadoPagoClient:
    """Talk to the provider in the name of one shop; safe for threads."""

    def __init__(
        self,
        base_url: str,
        access_token: str,
        *,
        pool: urllib3.PoolManager | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = access_token
        self._pool = pool or urllib3.PoolManager(maxsize=32, block=False)
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"MercadoPagoClient({self._base_url!r})"

    def create_order(self, body: bytes, *, idempotency_key: str) -> ProviderOrder:
        """Create an order; the same bytes under the same key make one order."""
        headers = {"X-Idempotency-Key": idempotency_key, "Content-Type": "application/json"}
        return _order(self._call("POST", "/v1/orders", body=body, headers=headers))

    def get_order(self, order_id: str) -> ProviderOrder:
        """Read an order; raise `OrderNotFound`."""
        return _order(self._call("GET", f"/v1/orders/{quote(order_id, safe='')}"))

    def search_orders(
        self, *, external_reference: str, begin: str, end: str
    ) -> tuple[ProviderOrder, ...]:
        """Find orders by our reference within two instants (ISO 8601)."""
        query = urlencode(
            {"external_reference": external_reference, "begin_date": begin, "end_date": end}
        )
        content = read_json(self._call("GET", f"/v1/orders?{query}").body)
        found = content.get("data")
        if not isinstance(found, list):
            raise MercadoPagoUnavailable("the search has no data")
        return tuple(order_from(order) for order in found if isinstance(order, dict))

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> _Answer:
        deadline = time.monotonic() + DEADLINE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._try(method, path, body=body, headers=headers or {})
            if isinstance(answer, _Answer):
                if answer.status not in _AGAIN:
                    return _checked(answer)
                outage = MercadoPagoUnavailable(
                    f"status {answer.status}", retry_after=answer.retry_after
                )
            else:
                outage = MercadoPagoUnavailable(answer)
            pause = _pause(attempt, outage.retry_after)
            if attempt == ATTEMPTS or time.monotonic() + pause > deadline:
                raise outage
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _try(
        self, method: str, path: str, *, body: bytes | None, headers: Mapping[str, str]
    ) -> _Answer | str:
        try:
            response: Any = self._pool.request(
                method,
                self._base_url + path,
                body=body,
                headers={**headers, "Authorization": f"Bearer {self._token}"},
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
                # Retries are ours: only with the same bytes and key, and within the deadline.
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as exc:
            return type(exc).__name__
        return _Answer(
            status=response.status,
            body=response.data,
            retry_after=_retry_after(response.headers.get("Retry-After")),
        )


def _order(answer: _Answer) -> ProviderOrder:
    try:
        return read_order(answer.body)
    except UnreadablePayload as exc:
        raise MercadoPagoUnavailable(f"unreadable answer: {exc}") from exc


def _checked(answer: _Answer) -> _Answer:
    if 200 <= answer.status < 300:
        return answer
    code = error_code(answer.body)
    if answer.status == 404:
        raise OrderNotFound(code)
    if answer.status in (401, 403):
        raise MercadoPagoUnauthorized(f"{code} ({answer.status})")
    if 400 <= answer.status < 500:
        raise MercadoPagoRefused(code, answer.status)
    raise MercadoPagoUnavailable(f"status {answer.status}")


def _retry_after(text: str | None) -> timedelta | None:
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return timedelta(seconds=min(float(text[:9]), LONGEST_PAUSE))


def _pause(attempt: int, wish: timedelta | None) -> float:
    if wish is not None:
        return wish.total_seconds()
    # Full jitter; a POST is repeated as it is, so haste gains nothing.
    return random.uniform(0.05, 0.25 * 2**attempt)  # noqa: S311  # Jitter keeps no secret.
