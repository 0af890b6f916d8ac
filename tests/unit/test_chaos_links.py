"""A link carries, and misbehaves as it is told to, and only until it is told not to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from local.proxy import Link, Misdeed, Network

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.readline():
            writer.write(b"you said " + line)
            await writer.drain()
        writer.write(b"farewell")
        writer.write_eof()
    except OSError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    subject = Link(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    await subject.serve()
    yield subject
    await subject.close()
    server.close()


@asynccontextmanager
async def connected(link: Link) -> AsyncIterator[Ends]:
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def said(ends: Ends, word: bytes) -> bytes:
    reader, writer = ends
    writer.write(word + b"\n")
    return await asyncio.wait_for(reader.readline(), 5)


async def test_what_is_said_arrives_and_so_does_the_end_of_one_side(link: Link) -> None:
    async with connected(link) as ends:
        assert await said(ends, b"good day") == b"you said good day\n"
        ends[1].write_eof()

        assert await asyncio.wait_for(ends[0].read(), 5) == b"farewell"
    assert link.struck == 0


async def test_a_reset_ends_what_is_under_way_and_whatever_comes_until_it_is_over(
    link: Link,
) -> None:
    async with connected(link) as ends:
        await said(ends, b"good day")
        link.misbehave(Misdeed.RESET)

        with pytest.raises(ConnectionResetError):
            await said(ends, b"are you there")
    async with connected(link) as ends:
        with pytest.raises(ConnectionResetError):
            await said(ends, b"are you there")
    link.behave()
    async with connected(link) as ends:
        assert await said(ends, b"again") == b"you said again\n"
    assert link.struck >= 2


async def test_a_black_hole_takes_connections_answers_nothing_and_gives_back_what_it_swallowed(
    link: Link,
) -> None:
    link.misbehave(Misdeed.BLACK_HOLE)
    async with connected(link) as ends:
        ends[1].write(b"good day\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ends[0].readline(), 0.1)

        link.behave()

        assert await asyncio.wait_for(ends[0].readline(), 5) == b"you said good day\n"


async def test_a_forgotten_connection_is_never_heard_of_again_and_a_new_one_is_well(
    link: Link,
) -> None:
    async with connected(link) as old:
        await said(old, b"good day")
        link.misbehave(Misdeed.FORGET)
        old[1].write(b"are you there\n")
        link.behave()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(old[0].readline(), 0.1)
        async with connected(link) as new:
            assert await said(new, b"again") == b"you said again\n"


async def test_a_delay_keeps_every_piece_for_its_time(link: Link) -> None:
    link.misbehave(Misdeed.DELAY, seconds=0.05)
    began = asyncio.get_running_loop().time()
    async with connected(link) as ends:
        await said(ends, b"good day")

    assert asyncio.get_running_loop().time() - began >= 0.1  # There and back.


async def test_a_half_closed_answer_ends_before_it_began(link: Link) -> None:
    link.misbehave(Misdeed.HALF_CLOSE)
    async with connected(link) as ends:
        assert await said(ends, b"good day") == b""


async def test_an_answer_that_is_cut_midway_is_half_there(link: Link) -> None:
    link.misbehave(Misdeed.CUT_MIDWAY)
    async with connected(link) as (reader, writer):
        writer.write(b"good day\n")
        heard = b""
        with pytest.raises(ConnectionResetError):
            while True:
                heard += await asyncio.wait_for(reader.readexactly(1), 5)

    assert b"you said good day\n".startswith(heard)
    assert len(heard) < len(b"you said good day\n")


async def test_whoever_cannot_be_reached_resets(link: Link) -> None:
    nobody = Link(host="127.0.0.1", port=1)
    await nobody.serve()
    async with connected(nobody) as ends:
        with pytest.raises(ConnectionResetError):
            await said(ends, b"are you there")
    await nobody.close()


async def test_each_pair_of_caller_and_target_has_a_link_and_only_the_known_are_led() -> None:
    network = Network({"bus": "http://127.0.0.1:25001", "postgres": "postgresql://127.0.0.1:25002"})

    led = network.lead("orders", "http://127.0.0.1:25001/q postgresql://u:p@127.0.0.1:25002/orders")
    own = network.lead("bus", "http://127.0.0.1:25001")
    again = network.lead("orders", "http://127.0.0.1:25001")

    assert set(network.links) == {"orders to bus", "orders to postgres"}
    to_bus, to_postgres = (network.links[f"orders to {name}"].port for name in ("bus", "postgres"))
    assert led == f"http://127.0.0.1:{to_bus}/q postgresql://u:p@127.0.0.1:{to_postgres}/orders"
    assert own == "http://127.0.0.1:25001"
    assert again == f"http://127.0.0.1:{to_bus}"
    await network.close()
