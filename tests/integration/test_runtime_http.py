"""What every API has in common, over a real socket: problems, identity, health, metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiohttp
import pytest
import uvicorn
from fastapi import Depends, FastAPI
from pydantic import BaseModel

from comanda.identity.verifier import Identity, InvalidToken, KeysUnavailable, Kind
from comanda.ids import ShopId
from workers.runtime.health import serve_health
from workers.runtime.http import Problem, any_identity, create_api, staff

KITCHEN = Identity(
    subject="s", shop_id=ShopId("lanchonete"), kind=Kind.STAFF, groups=frozenset({"kitchen"})
)
GUEST = Identity(
    subject="guest:1", shop_id=ShopId("lanchonete"), kind=Kind.GUEST, groups=frozenset()
)


class FakeVerifier:
    def verify(self, token: str, *, may_fetch: bool = True) -> Identity:
        if token == "keys-down":
            raise KeysUnavailable("down")
        known = {"kitchen": KITCHEN, "guest": GUEST}
        if token not in known:
            raise InvalidToken("unknown")
        return known[token]


class Body(BaseModel):
    count: int


class Store:
    def __init__(self) -> None:
        self.is_down = False

    async def ping(self) -> None:
        if self.is_down:
            raise ConnectionError("the store is down")


def make_app(store: Store) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.verifier = FakeVerifier()
        yield

    app = create_api("things", probe=store.ping, lifespan=lifespan)

    @app.get("/apis/things/{shop}/mine")
    async def mine(shop: str, identity: any_identity) -> dict[str, str]:
        return {"subject": identity.subject}

    @app.get("/apis/things/{shop}/board")
    async def board(
        shop: str, identity: Annotated[Identity, Depends(staff("kitchen", "manager"))]
    ) -> dict[str, str]:
        return {"subject": identity.subject}

    @app.post("/apis/things/{shop}/things")
    async def make(shop: str, body: Body) -> dict[str, int]:
        if body.count == 13:
            raise Problem(409, "Unlucky", detail="not 13", headers={"Retry-After": "1"})
        if body.count == 500:
            raise KeyError("a fault of ours")
        return {"count": body.count}

    return app


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def base(store: Store) -> AsyncIterator[str]:
    config = uvicorn.Config(make_app(store), host="127.0.0.1", port=0, log_config=None)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def ask(
    method: str, url: str, *, token: str | None = None, **arguments: Any
) -> tuple[int, Any, dict[str, str]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, **arguments) as answer,
    ):
        return (
            answer.status,
            await answer.json(content_type=None),
            {k.lower(): v for k, v in answer.headers.items()},
        )


async def test_a_good_token_of_this_shop_is_admitted(base: str) -> None:
    status, body, _ = await ask("GET", f"{base}/apis/things/lanchonete/mine", token="guest")

    assert (status, body) == (200, {"subject": "guest:1"})


@pytest.mark.parametrize("token", [None, "nonsense"])
async def test_without_a_good_token_the_answer_is_a_challenge(base: str, token: str | None) -> None:
    status, body, headers = await ask("GET", f"{base}/apis/things/lanchonete/mine", token=token)

    assert status == body["status"] == 401
    assert headers["www-authenticate"].startswith("Bearer")
    assert headers["content-type"] == "application/problem+json"


async def test_a_token_of_another_shop_finds_nothing(base: str) -> None:
    status, _, _ = await ask("GET", f"{base}/apis/things/cantina/mine", token="guest")

    assert status == 404


async def test_keys_out_of_reach_ask_the_client_to_come_back(base: str) -> None:
    status, _, headers = await ask("GET", f"{base}/apis/things/lanchonete/mine", token="keys-down")

    assert status == 503
    assert int(headers["retry-after"]) > 0


@pytest.mark.parametrize(("token", "expected"), [("kitchen", 200), ("guest", 403), (None, 401)])
async def test_a_staff_route_needs_its_group(base: str, token: str | None, expected: int) -> None:
    status, _, _ = await ask("GET", f"{base}/apis/things/lanchonete/board", token=token)

    assert status == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [('{"count": 1}', 200), ("{", 400), ('{"count": "x"}', 422), ("[]", 422), ("", 422)],
)
async def test_a_bad_body_is_told_what_is_wrong(base: str, body: str, expected: int) -> None:
    status, answer, _ = await ask_json(base, body)

    assert status == expected
    if expected == 422:
        assert answer["errors"][0]["field"].startswith("body")


async def ask_json(base: str, body: str) -> tuple[int, Any, dict[str, str]]:
    async with (
        aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as session,
        session.post(f"{base}/apis/things/lanchonete/things", data=body) as answer,
    ):
        return (
            answer.status,
            await answer.json(content_type=None),
            {k.lower(): v for k, v in answer.headers.items()},
        )


async def test_a_refusal_carries_its_detail_and_headers(base: str) -> None:
    status, body, headers = await ask_json(base, '{"count": 13}')

    assert (status, body["title"], body["detail"]) == (409, "Unlucky", "not 13")
    assert headers["retry-after"] == "1"


async def test_a_fault_of_ours_tells_no_secrets(base: str) -> None:
    status, body, _ = await ask_json(base, '{"count": 500}')

    assert status == 500
    assert "a fault of ours" not in str(body)


async def test_an_unknown_path_is_a_problem_too(base: str) -> None:
    status, body, _ = await ask("GET", f"{base}/nowhere")

    assert status == body["status"] == 404


async def test_health_tells_life_from_readiness(base: str, store: Store) -> None:
    ready, _, _ = await ask("GET", f"{base}/health/ready")
    store.is_down = True

    live, _, _ = await ask("GET", f"{base}/health/live")
    not_ready, _, headers = await ask("GET", f"{base}/health/ready")

    assert (ready, live, not_ready) == (200, 200, 503)
    assert "retry-after" in headers


async def test_metrics_count_requests_by_route(base: str) -> None:
    await ask("GET", f"{base}/apis/things/lanchonete/mine", token="guest")

    async with aiohttp.ClientSession() as session, session.get(f"{base}/metrics") as answer:
        text = await answer.text()

    assert 'route="/apis/things/{shop}/mine"' in text


async def test_openapi_is_served_under_the_services_prefix(base: str) -> None:
    status, body, _ = await ask("GET", f"{base}/apis/things/openapi.json")

    assert status == 200
    assert "/apis/things/{shop}/board" in body["paths"]


async def test_a_worker_that_stopped_consuming_is_not_ready(store: Store) -> None:
    health = {"is_healthy": True}

    async with serve_health(
        port=0, probe=store.ping, is_healthy=lambda: health["is_healthy"]
    ) as port:
        base = f"http://127.0.0.1:{port}"
        ready, _, _ = await ask("GET", f"{base}/health/ready")
        store.is_down = True
        store_down, _, _ = await ask("GET", f"{base}/health/ready")
        store.is_down = False
        health["is_healthy"] = False
        stopped, _, _ = await ask("GET", f"{base}/health/ready")
        live, _, _ = await ask("GET", f"{base}/health/live")

    assert (ready, store_down, stopped, live) == (200, 503, 503, 200)
