"""Sign in to PostgreSQL by the pod's own role: an address with a token instead of a password.

`postgresql+iam://payments_app@host:5432/payments?sslmode=verify-full&sslrootcert=…` names no
password. RDS takes a token in its place that is signed by the credentials of the process, asks IAM
for `rds-db:connect`, and looks at the token only when a connection is made: it lives 15 minutes, so
every new connection brings a new one. Any other address is used as it stands.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, quote, urlsplit

import boto3

SCHEME = "postgresql+iam"


class UnsafeAddress(ValueError):
    """An address by which a token could reach somebody who is not our database."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIn:
    """Whom a token is for; it is worth nothing at another host or for another user."""

    host: str
    port: int
    user: str


Sign = Callable[[SignIn], str]


def signed_in(url: str, *, sign: Sign | None = None) -> str:
    """Give the address to connect by now, its token fresh; raise `UnsafeAddress`."""
    parts = urlsplit(url)
    if parts.scheme != SCHEME:
        return url
    _refuse_unsafe(url)
    whom = SignIn(host=str(parts.hostname), port=parts.port or 5432, user=str(parts.username))
    token = quote((sign or _sign)(whom), safe="")
    place = f"{whom.user}:{token}@{whom.host}:{whom.port}"
    return parts._replace(scheme="postgresql", netloc=place).geturl()


def address_maker(url: str, *, sign: Sign | None = None) -> str | Callable[[], Awaitable[str]]:
    """Give what a pool asks for the address of each new connection; raise `UnsafeAddress`."""
    if urlsplit(url).scheme != SCHEME:
        return url
    _refuse_unsafe(url)

    async def make() -> str:
        # Signing is arithmetic, but the credentials it needs may have to be fetched first.
        return await asyncio.to_thread(signed_in, url, sign=sign)

    return make


def _refuse_unsafe(url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or not parts.username or parts.password:
        raise UnsafeAddress(f"{SCHEME}:// needs a host and a user, and no password")
    modes = {value for name, value in parse_qsl(parts.query) if name == "sslmode"}
    if modes != {"verify-full"}:
        raise UnsafeAddress(f"{SCHEME}:// needs sslmode=verify-full: a token is a password")


def _sign(whom: SignIn) -> str:
    token: str = _client().generate_db_auth_token(
        DBHostname=whom.host, Port=whom.port, DBUsername=whom.user
    )
    return token


@cache
def _client() -> boto3.client:
    return boto3.session.Session().client("rds")
