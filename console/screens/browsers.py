"""Whose browser a request comes from, and how auth is told: so it counts browsers, and not us.

Auth counts by address what strangers may ask. All kiosks of all shops reach it through our pods.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from comanda.forwarding import HEADER, Target, keys_in, told

# Each request has a task of its own. A call to auth that forgot to pass this on would be counted
# with everybody's, so no call has to.
_browser: ContextVar[str | None] = ContextVar("browser", default=None)


class Browsers:
    """Remember, while a request is answered, whose browser sent it.

    `proxies` is how many of ours stand before us, each of which adds whom it saw to
    `X-Forwarded-For`; with 0 it is who holds the connection.
    """

    def __init__(self, app: ASGIApp, *, proxies: int) -> None:
        if proxies < 0:
            raise ValueError("there are no fewer than 0 proxies")
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        if scope["type"] == "http":
            _browser.set(self._address(scope))
        await self._app(scope, receive, send)

    def _address(self, scope: Scope) -> str | None:
        if not self._proxies:
            return counted(scope["client"][0]) if scope.get("client") else None
        lines = Headers(scope=scope).getlist("x-forwarded-for")
        hops = ",".join(lines).split(",")
        # What stands further left was sent by the browser itself, or by whoever was before it.
        return counted(hops[-self._proxies]) if len(hops) >= self._proxies else None


class Teller:
    """Sign for auth the address of the browser that is being answered."""

    def __init__(self, keys: str, *, clock: Callable[[], datetime]) -> None:
        self._key = keys_in(keys)[0]
        self._clock = clock

    def headers(self, method: str, path: str) -> Mapping[str, str]:
        """Give the header for a request of ours; none if no browser is known."""
        address = _browser.get()
        if address is None:
            return {}
        target = Target(method=method, path=path)
        return {HEADER: told(address, target=target, now=self._clock(), key=self._key)}


def counted(text: str) -> str | None:
    """Give what an address is counted as; None for what is no address.

    Whoever has one address of IPv6 has at least 2^64 of them, so its network of 64 bits counts.
    """
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((int(address), 64), strict=False))
    return str(address)
