"""Ask the contexts by their private APIs, in the name of whoever looks."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import aiohttp

from comanda.ids import ShopId

JSON = Mapping[str, Any]
# What auth is told of the browser, for a method and a path.
Tell = Callable[[str, str], Mapping[str, str]]
_TIMEOUT = aiohttp.ClientTimeout(total=28, connect=3)
_STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=3, sock_read=40)


class Context(StrEnum):
    """Whom to ask."""

    AUTH = "auth"
    ORDERS = "orders"
    CATALOG = "catalog"
    PAYMENTS = "payments"
    ARCHIVE = "archive"


class Refused(Exception):
    """A context said no; its problem document explains."""

    def __init__(self, status: int, problem: JSON) -> None:
        super().__init__(f"{status} {problem.get('title', '')}")
        self.status = status
        self.detail = str(problem.get("detail", ""))
        self.errors = tuple(problem.get("errors", ()))


class OutOfReach(Exception):
    """A context did not answer, or is down; trying again later is right."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request; `token` is the bearer token of the person who looks."""

    method: str
    context: Context
    shop: ShopId
    path: str
    token: str | None = None
    body: JSON | None = None
    raw: bytes | None = None
    media_type: str = "application/json"
    query: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A success: its bytes, and what the headers add; their names know no case."""

    status: int
    content: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.content) if self.content else {}


class Contexts:
    """The APIs behind one pool of connections; auth alone is told whose browser it is."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        urls: Mapping[Context, str],
        *,
        tell: Tell | None = None,
    ) -> None:
        self._session = session
        self._tell = tell
        self._urls = {context: url.rstrip("/") for context, url in urls.items()}

    async def ask(self, call: Call) -> Answer:
        """Make a request; raise `Refused` for a 4xx and `OutOfReach` for all that is no answer."""
        try:
            async with self._session.request(
                call.method,
                self._url(call),
                data=json.dumps(call.body).encode() if call.body is not None else call.raw,
                params=call.query,
                headers=self._headers(call),
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as got:
                answer = Answer(status=got.status, content=await got.read(), headers=got.headers)
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise OutOfReach(f"{call.context}: {type(exc).__name__}") from exc
        return _checked(call, answer)

    async def read(self, call: Call) -> Any:
        """Make a request and read its JSON."""
        return (await self.ask(call)).json

    @asynccontextmanager
    async def follow(self, call: Call) -> AsyncIterator[AsyncIterator[JSON | None]]:
        """Open a stream of server-sent events; give the data of each, and None for a beat."""
        try:
            async with self._session.get(
                self._url(call), headers=self._headers(call), timeout=_STREAM_TIMEOUT
            ) as got:
                if got.status != 200:
                    content = await got.read()
                    _checked(call, Answer(status=got.status, content=content, headers={}))
                yield _events(got)
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise OutOfReach(f"{call.context}: {type(exc).__name__}") from exc

    def _url(self, call: Call) -> str:
        return self._urls[call.context] + _path(call)

    def _headers(self, call: Call) -> dict[str, str]:
        headers = _headers(call)
        if call.context is Context.AUTH and self._tell is not None:
            headers.update(self._tell(call.method, _path(call)))
        return headers


def _path(call: Call) -> str:
    return f"/apis/{call.context}/{call.shop}{call.path}"


def _headers(call: Call) -> dict[str, str]:
    headers = {"Accept": "application/json", **(call.headers or {})}
    if call.body is not None or call.raw is not None:
        headers["Content-Type"] = call.media_type
    if call.token is not None:
        headers["Authorization"] = f"Bearer {call.token}"
    return headers


def _checked(call: Call, answer: Answer) -> Answer:
    if answer.status < 300:
        return answer
    if answer.status >= 500:
        raise OutOfReach(f"{call.context}: {answer.status}")
    try:
        problem = answer.json
    except ValueError:
        problem = {}
    raise Refused(answer.status, problem if isinstance(problem, dict) else {})


async def _events(got: aiohttp.ClientResponse) -> AsyncIterator[JSON | None]:
    async for line in got.content:
        if line.startswith(b"data:"):
            yield json.loads(line[5:])
        elif line.startswith((b":", b"retry:")):
            yield None
