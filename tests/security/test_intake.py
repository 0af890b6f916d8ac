"""What anybody can send before we know who they are: too much, too slow, too many, too deep."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import pytest
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field

from comanda.http_protocol import PatientProtocol
from comanda.intake import LARGEST_BODY, LARGEST_HEAD, MOST_HEADERS, Intake
from workers.runtime.http import SERVING, create_api

JSON = b"Content-Type: application/json\r\n"


class Impatient(PatientProtocol):
    """The protocol that is served, with less time."""

    head_seconds = 0.3


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=40)]


def make_app() -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield

    async def probe() -> None:
        return

    app = create_api("things", probe=probe, lifespan=lifespan)
    # Outermost stands the one with little time.
    app.add_middleware(Intake, seconds=0.5)

    @app.post("/strict")
    async def strict(body: Strict) -> dict[str, str]:
        return {"name": body.name}

    @app.post("/raw")
    async def raw(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    return app


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(make_app(), port=0, **{**SERVING, "http": Impatient})
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def spoken(port: int, *parts: bytes) -> bytes:
    """Send the parts, and read until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(10):
        for part in parts:
            writer.write(part)
            await writer.drain()
        answered = await reader.read()
    writer.close()
    return answered


def post(path: str, body: bytes, *, headers: bytes = JSON) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
    return head + headers + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


async def test_an_ordinary_request_is_served_and_says_what_it_is(port: int) -> None:
    answered = await spoken(port, post("/strict", b'{"name": "Ana"}'))

    assert answered.startswith(b"HTTP/1.1 200")
    assert b"x-content-type-options: nosniff" in answered.lower()


async def test_a_body_that_announces_too_much_is_refused_unread(port: int) -> None:
    head = post("/strict", b"", headers=JSON).replace(
        b"Content-Length: 0", b"Content-Length: 99999999"
    )

    answered = await spoken(port, head)

    assert answered.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answered


@pytest.mark.parametrize("path", ["/strict", "/raw"])
async def test_a_body_that_announces_nothing_is_refused_when_it_is_too_much(
    port: int, path: str
) -> None:
    # The last byte is the one too many, so nothing is left unread when the server hangs up.
    body = b"10001\r\n" + b" " * (LARGEST_BODY + 1)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()

    answered = await spoken(port, head + JSON + b"Transfer-Encoding: chunked\r\n\r\n", body)

    assert answered.startswith(b"HTTP/1.1 413")


async def test_the_largest_body_is_taken(port: int) -> None:
    answered = await spoken(port, post("/raw", b" " * LARGEST_BODY))

    assert answered.endswith(b'{"size":%d}' % LARGEST_BODY)


async def test_a_body_that_never_ends_is_given_up(port: int) -> None:
    head = post("/strict", b"", headers=JSON).replace(b"Content-Length: 0", b"Content-Length: 20")

    answered = await spoken(port, head, b'{"name"')

    assert answered.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "said",
    [b"", b"POST /strict HTTP/1.1\r\n", b"POST /strict HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    ids=["nothing", "a line", "half a header"],
)
async def test_who_connects_and_says_no_whole_request_is_left(port: int, said: bytes) -> None:
    assert await spoken(port, said) == b""


async def test_a_connection_that_stays_open_for_more_is_left_too(port: int) -> None:
    first = post("/strict", b'{"name": "Ana"}').replace(b"Connection: close\r\n", b"")

    answered = await spoken(port, first, b"POST /strict HTTP/1.1\r\n")

    assert answered.count(b"HTTP/1.1") == 1
    assert answered.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: 1\r\n" % n for n in range(MOST_HEADERS + 1)),
        b"X-Long: " + b"x" * LARGEST_HEAD + b"\r\n",
        b"X-Name-" + b"x" * LARGEST_HEAD + b": 1\r\n",
    ],
    ids=["many", "long", "named long"],
)
async def test_a_flood_of_headers_is_refused(port: int, headers: bytes) -> None:
    answered = await spoken(port, post("/strict", b"{}", headers=JSON + headers))

    assert answered.startswith(b"HTTP/1.1 400")


async def test_a_header_without_an_end_is_not_kept(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /strict HTTP/1.1\r\nX-Endless: ")
    sent = 0
    async with asyncio.timeout(10):
        try:
            while sent < 64 * 1024 * 1024:
                writer.write(b"x" * 4096)
                await writer.drain()
                sent += 4096
        except ConnectionError:
            pass
    writer.close()

    assert sent < 64 * 1024 * 1024
    assert reader is not None


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET " + b"/x" * LARGEST_HEAD + b" HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    ],
    ids=["long path", "TLS"],
)
async def test_what_is_no_request_of_ours_ends_the_connection(
    port: int, request_line: bytes
) -> None:
    assert (await spoken(port, request_line)).startswith(b"HTTP/1.1 400")


async def test_a_request_smuggled_behind_two_lengths_is_refused(port: int) -> None:
    smuggled = (
        b"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n"
    )

    answered = await spoken(port, smuggled)

    assert answered.startswith(b"HTTP/1.1 400")
    assert answered.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["lists", "objects"])
async def test_a_body_nested_too_deep_is_malformed(port: int, opening: bytes) -> None:
    answered = await spoken(port, post("/strict", opening * (LARGEST_BODY // len(opening))))

    assert answered.startswith(b"HTTP/1.1 400")


async def test_a_compressed_body_is_not_opened(port: int) -> None:
    import gzip

    bomb = gzip.compress(b" " * 10_000_000)
    answered = await spoken(
        port, post("/strict", bomb, headers=JSON + b"Content-Encoding: gzip\r\n")
    )

    assert answered.startswith((b"HTTP/1.1 400", b"HTTP/1.1 422"))


async def test_thousands_of_faults_get_a_short_answer(port: int) -> None:
    body = b"{" + b",".join(b'"k%d": 1' % n for n in range(3_000)) + b"}"

    answered = await spoken(port, post("/strict", body))

    assert answered.startswith(b"HTTP/1.1 422")
    assert len(answered) < 4_000
    assert b"2981 more are not shown" in answered


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "Ana", "\\ud800": 1}',
        b'{"name": "\\ud800"}',
        b'{"name": "A", "' + b"x" * 9_000 + b'": 1}',
    ],
    ids=["a field", "a value", "a long field"],
)
async def test_what_cannot_be_told_in_an_answer_is_refused_all_the_same(
    port: int, body: bytes
) -> None:
    answered = await spoken(port, post("/strict", body))

    assert answered.startswith(b"HTTP/1.1 422")
    assert len(answered) < 1_000
