"""The public door in front of services that are down, slow, abrupt or odd."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from tests import gateway_upstream
from tests.gateway_upstream import Upstream, problem_of, raw

upstream = gateway_upstream.upstream
door = gateway_upstream.door
session = gateway_upstream.session


async def test_an_unknown_path_is_a_problem(session: aiohttp.ClientSession, door: str) -> None:
    async with session.get(f"{door}/apis/authority") as answer:
        assert answer.status == 404
        assert "/apis/authority" in (await problem_of(answer))["detail"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_service_that_is_down_asks_to_come_back(
    session: aiohttp.ClientSession, door: str, method: str
) -> None:
    async with session.request(method, f"{door}/apis/down/x") as answer:
        assert answer.status == 502
        assert (await problem_of(answer))["title"] == "Service unavailable"
        assert int(answer.headers["Retry-After"]) >= 1


async def test_a_service_that_is_slow_is_given_up(
    session: aiohttp.ClientSession, door: str, upstream: tuple[Upstream, str]
) -> None:
    never = asyncio.Event()

    async def wait(_: web.Request) -> web.StreamResponse:
        await never.wait()
        raise AssertionError

    upstream[0].handler = wait

    async with session.post(f"{door}/apis/auth/x") as answer:
        assert answer.status == 504
        assert await problem_of(answer)
    assert len(upstream[0].seen) == 1


async def test_half_an_answer_is_none(
    session: aiohttp.ClientSession, door: str, upstream: tuple[Upstream, str]
) -> None:
    async def abort(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    upstream[0].handler = abort

    async with session.post(f"{door}/apis/auth/x", data=b"{}") as answer:
        assert answer.status == 502
        assert await problem_of(answer)
    # It may have had an effect, so it is the client that decides to repeat it.
    assert len(upstream[0].seen) == 1


async def test_headers_of_one_connection_end_with_it(
    session: aiohttp.ClientSession, door: str, upstream: tuple[Upstream, str]
) -> None:
    async def answer_with(_: web.Request) -> web.StreamResponse:
        response = web.Response(text="x")
        response.headers["X-Mine"] = "kept"
        response.headers["Keep-Alive"] = "timeout=5"
        response.headers["Set-Cookie"] = "a=1"
        response.headers.add("Set-Cookie", "b=2")
        return response

    upstream[0].handler = answer_with
    sent = {"Connection": "keep-alive, X-Private", "X-Private": "1", "TE": "trailers", "X-Own": "2"}

    async with session.get(f"{door}/apis/auth/x", headers=sent) as answer:
        assert answer.headers["X-Mine"] == "kept"
        assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert "Keep-Alive" not in answer.headers
    assert upstream[0].headers["x-own"] == "2"
    assert not {"x-private", "te"} & upstream[0].headers.keys()


async def test_what_is_signed_arrives_as_it_was_sent(
    door: str, upstream: tuple[Upstream, str]
) -> None:
    target = b"/webhooks/mercadopago/a?data.id=%ff&data.id=A+b%20c;d&x=%2F"
    request = b"POST " + target + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    request += b"X-Signature: ts=1,v1=\xe9\r\nX-Signature: b\r\nConnection: close\r\n\r\n"

    answer = await raw(door, request)

    seen = upstream[0].seen[-1]
    assert answer.startswith(b"HTTP/1.1 200")
    assert seen.rel_url.raw_path_qs.encode() == target
    assert len(seen.headers.getall("X-Signature")) == 2
    # Nothing is made up: neither a request id, which would be signed, nor a type of content.
    assert not {"x-request-id", "content-type", "user-agent", "accept"} & upstream[0].headers.keys()


async def test_a_request_id_is_left_alone(
    session: aiohttp.ClientSession, door: str, upstream: tuple[Upstream, str]
) -> None:
    async with session.get(f"{door}/apis/auth/x", headers={"X-Request-Id": "Abc"}) as answer:
        assert answer.status == 200

    assert upstream[0].headers["x-request-id"] == "Abc"


async def test_head_tells_the_length_and_sends_no_body(
    session: aiohttp.ClientSession, door: str, upstream: tuple[Upstream, str]
) -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 1234)

    upstream[0].handler = page

    async with session.head(f"{door}/apis/auth/x") as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "1234")
        assert await answer.read() == b""


async def test_bodies_go_both_ways_whole_up_to_the_limit(
    session: aiohttp.ClientSession, door: str, upstream: tuple[Upstream, str]
) -> None:
    body = bytes(range(256)) * 4096 * 8

    async def mirror(_: web.Request) -> web.StreamResponse:
        return web.Response(body=upstream[0].bodies[-1])

    upstream[0].handler = mirror

    async with session.post(f"{door}/apis/auth/x", data=body) as answer:
        assert answer.status == 200
        assert await answer.read() == body
    async with session.post(f"{door}/apis/auth/x", data=body + body) as answer:
        assert answer.status == 413
        assert await problem_of(answer)
    assert len(upstream[0].seen) == 1


async def test_an_answer_is_passed_on_with_its_status_and_encoding(
    session: aiohttp.ClientSession, door: str, upstream: tuple[Upstream, str]
) -> None:
    async def teapot(_: web.Request) -> web.StreamResponse:
        return web.Response(status=307, body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    upstream[0].handler = teapot

    async with session.get(f"{door}/apis/auth/x", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Content-Encoding"]) == (307, "gzip")
        assert await answer.read() == b"\x1f\x8b"


async def test_events_are_passed_on_as_they_come(
    session: aiohttp.ClientSession, door: str, upstream: tuple[Upstream, str]
) -> None:
    service, _ = upstream
    is_read = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: one\n\n")
        await asyncio.wait_for(is_read.wait(), 5)
        await response.write(b"data: two\n\n")
        return response

    service.handler = stream
    async with session.get(f"{door}/apis/auth/stream") as answer:
        first = await answer.content.readany()
        is_read.set()
        rest = await answer.content.read()

    assert (first, rest) == (b"data: one\n\n", b"data: two\n\n")
    assert answer.headers["content-type"] == "text/event-stream"


async def test_a_whole_url_leads_to_no_other_host(
    door: str, upstream: tuple[Upstream, str]
) -> None:
    answer = await raw(
        door,
        b"GET http://evil.example/apis/auth/x HTTP/1.1\r\nHost: evil.example\r\n"
        b"Connection: close\r\n\r\n",
    )

    assert answer.startswith(b"HTTP/1.1 200")
    assert upstream[0].seen[-1].rel_url.raw_path_qs == "/apis/auth/x"


async def test_a_header_of_16_kb_reaches_the_service_that_refuses_it(
    session: aiohttp.ClientSession, door: str, upstream: tuple[Upstream, str]
) -> None:
    async with session.get(f"{door}/apis/auth/x", headers={"X-Long": "a" * 16_384}) as answer:
        assert answer.status == 200

    assert len(upstream[0].headers["x-long"]) == 16_384


async def test_the_pages_of_the_door_itself_are_only_read(
    session: aiohttp.ClientSession, door: str
) -> None:
    async with session.get(f"{door}/") as answer:
        assert "/apis/auth" in await answer.text()
    async with session.get(f"{door}/health") as answer:
        assert await answer.json() == {"status": "ready"}
    async with session.delete(f"{door}/health") as answer:
        assert answer.status == 404


async def test_the_document_is_merged_of_all_services_that_are_up(
    session: aiohttp.ClientSession, door: str, upstream: tuple[Upstream, str]
) -> None:
    async def document(request: web.Request) -> web.StreamResponse:
        schema = {"Line": {"title": request.path}}
        content = {
            "paths": {request.path: {"get": {"$ref": "#/components/schemas/Line"}}},
            "components": {"schemas": schema},
        }
        return web.json_response(content)

    upstream[0].handler = document

    async with session.get(f"{door}/openapi.json") as answer:
        merged = await answer.json()
    assert set(merged["paths"]) == {"/apis/auth/openapi.json", "/webhooks/openapi.json"}
    names = {paths["get"]["$ref"].rpartition("/")[2] for paths in merged["paths"].values()}
    assert names == set(merged["components"]["schemas"])
    assert len(names) == 2
