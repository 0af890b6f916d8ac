"""What the guard passes on, it passes on whole; who goes away takes a long poll along."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from local.iam.asked import Request
from local.iam.relay import Backend, Backends, Connection, body_of

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def stand_in(play: Play) -> AsyncIterator[str]:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await play(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def relay(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async def answer(request: Request, raw: bytes, backends: Backends) -> bytes:
        return await backends["aws"].ask(raw, is_head=request.method == "HEAD")

    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(answer, Backends({"aws": url})), "127.0.0.1", 0
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


def answering(answer: bytes, heard: list[bytes]) -> Play:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            heard.append(data)
            writer.write(answer)

    return play


@pytest.mark.parametrize("answer", [OK, CHUNKED])
async def test_requests_that_come_at_once_are_answered_in_order_and_as_they_are(
    answer: bytes,
) -> None:
    heard: list[bytes] = []
    one = b"POST /a?b=c HTTP/1.1\r\nX-Amz-Target: T.Op\r\ncontent-length: 4\r\n\r\nbody"
    two = b"PUT /d HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n"

    async with stand_in(answering(answer, heard)) as url, relay(url) as (reader, writer):
        writer.write(one + two)
        said = await reader.readexactly(2 * len(answer))

    assert said == answer * 2
    assert heard == [
        b"POST /a?b=c HTTP/1.1\r\nX-Amz-Target: T.Op\r\ncontent-length: 4\r\n\r\nbody",
        b"PUT /d HTTP/1.1\r\ncontent-length: 3\r\n\r\nxyz",
    ]
    assert body_of(answer) == b"ok"


async def test_an_answer_to_head_ends_with_its_headers() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"

    async with stand_in(answering(head, [])) as url, relay(url) as (reader, writer):
        writer.write(b"HEAD /bucket/key HTTP/1.1\r\n\r\n")
        assert await reader.readexactly(len(head)) == head


async def test_a_caller_that_goes_away_takes_its_long_poll_along() -> None:
    polling, gone = asyncio.Event(), asyncio.Event()

    async def play(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        polling.set()
        await reader.read(1)
        gone.set()

    async with stand_in(play) as url, relay(url) as (_, writer):
        writer.write(b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
        async with asyncio.timeout(10):
            await polling.wait()
            writer.close()
            await gone.wait()


async def test_a_stand_in_that_hangs_up_is_seen_by_the_caller() -> None:
    async def play(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(65536)

    async with stand_in(play) as url, relay(url) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)


async def test_what_is_no_http_ends_the_connection() -> None:
    async with relay("http://127.0.0.1:9") as (reader, writer):
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        assert await reader.read() == b""


async def test_a_connection_that_slept_too_long_is_opened_anew() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(OK)
        await writer.drain()

    async with stand_in(once) as url:
        backend = Backend(url)
        first = await backend.ask(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(10):
            while not backend.is_stale:
                await asyncio.sleep(0)
        assert (first, await backend.ask(b"GET / HTTP/1.1\r\n\r\n")) == (OK, OK)
        backend.close()
