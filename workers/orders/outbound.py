"""Call addresses that shop owners gave us, and never one of our own network.

An owner's URL could name a metadata service, a neighbour, or a host name that leads to one. So the
addresses are checked where the connection is made: the resolver gives the connector only what was
checked, which leaves a name that changes between check and connect (DNS rebinding) nothing to gain.
Redirects are not followed, and no proxy of the environment is used.
"""

import ipaddress
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from comanda.settings import SettingsError

LONGEST_URL = 500
_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
_PORTS = frozenset({443, 8443})
_MOST_CONNECTIONS = 32
_PRODUCTION = ("prod", "production")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# RFC 6890; some releases of Python take half of it for the internet.
_PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")
# 2130706433, 127.1 and 0x7f000001 are 127.0.0.1 to the system's resolver and names to all else
# (WHATWG URL, "ends in a number").
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\.?", re.ASCII | re.IGNORECASE)


class UnsafeAddress(ValueError):
    """The URL does not lead to a public HTTPS server."""


def refuse_loopback_in_production(*, stage: str, webhooks_to_loopback: bool) -> None:
    """Raise `SettingsError` where a shop's webhook could reach the pod itself."""
    if webhooks_to_loopback and stage in _PRODUCTION:
        raise SettingsError("COMANDA_WEBHOOKS_TO_LOOPBACK is for laptops")


def check_url(url: str, *, may_be_loopback: bool = False) -> str:
    """Give the URL if its form is fine; raise `UnsafeAddress`.

    With `may_be_loopback`, a laptop's setting, plain HTTP to the loopback address is fine too.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as exc:
        raise UnsafeAddress("not a URL") from exc
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise UnsafeAddress(f"a URL has at most {LONGEST_URL} printable ASCII characters")
    if not host or parts.username or parts.password or parts.fragment:
        raise UnsafeAddress("a host is needed, and no user, password or fragment")
    address = _literal(host)
    if may_be_loopback and address is not None and address.is_loopback:
        return url
    if parts.scheme != "https" or (port or 443) not in _PORTS:
        raise UnsafeAddress("HTTPS is needed, on port 443 or 8443")
    if address is not None and not is_public(host):
        raise UnsafeAddress("the address is not a public one")
    if address is None and _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        raise UnsafeAddress("the host is a number, and no address as it is written")
    return url


def is_public(text: str) -> bool:
    """Tell whether an IP address belongs to the internet, also one that is wrapped in another."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo is not None:
            return False
        if inner is not None:
            address = inner
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    if isinstance(address, ipaddress.IPv4Address) and address in _PROTOCOLS:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class GuardedResolver(AbstractResolver):
    """Resolve a name, and give its addresses only if every one of them is public."""

    def __init__(
        self, *, resolver: AbstractResolver | None = None, may_be_loopback: bool = False
    ) -> None:
        self._resolver = resolver or aiohttp.ThreadedResolver()
        self._may_be_loopback = may_be_loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the addresses, or raise `OSError` as an unknown name would."""
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            if not self._may_connect(result["host"]):
                raise OSError(None, f"{host} leads to an address that is not public")
        return found

    async def close(self) -> None:
        """Close the resolver behind this one."""
        await self._resolver.close()

    def _may_connect(self, text: str) -> bool:
        is_loopback = ipaddress.ip_address(text.partition("%")[0]).is_loopback
        return (self._may_be_loopback and is_loopback) or is_public(text)


@asynccontextmanager
async def outbound_session(
    *, may_be_loopback: bool = False
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session that connects to public addresses alone."""
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(may_be_loopback=may_be_loopback),
        # A cached answer would be as old as the cache says; each connection is checked anew.
        use_dns_cache=False,
        limit=_MOST_CONNECTIONS,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=_TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "Comanda-Webhooks/1", "Accept-Encoding": "identity"},
        trust_env=False,
    ) as session:
        yield session


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
