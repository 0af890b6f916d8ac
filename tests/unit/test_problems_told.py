"""A refusal is told in the client's language at each kind of door: pods, functions, the edge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from fastapi import FastAPI
from yarl import URL

from local.gateway.adapter import ChaliceGateway
from local.gateway.chalice_app import APPS, gateway_of
from local.gateway.edge import Edge
from tests.webhooks_edge import Answer, ask
from workers.runtime.http import create_api

PORTUGUESE = [("accept-language", "pt-BR,pt;q=0.9,en;q=0.8")]
JSON = [("content-type", "application/json")]
# A function without its settings, and one that is asked for a shop that cannot be.
WRONG: dict[str, dict[str, Any]] = {
    "auth_lambda": {"path": "/apis/auth/loja/guests", "method": "POST", "body": b"{"},
    "webhooks_lambda": {"path": "/webhooks/mercadopago/UPPER", "method": "POST", "body": b"{}"},
}
TITLES = {
    "auth_lambda": ("Internal error", "Erro interno"),
    "webhooks_lambda": ("Not found", "Não encontrado"),
}


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


async def _probe() -> None:
    raise ConnectionError


async def ask_pod(path: str, *, method: str = "GET", language: str = "") -> Answer:
    app = create_api("things", probe=_probe, lifespan=_lifespan)
    headers = [("accept-language", language)] if language else []
    return await ask(cast("ChaliceGateway", app), headers=headers, path=path, method=method)


async def test_a_pod_tells_portuguese_to_who_prefers_it_and_english_to_machines() -> None:
    portuguese = await ask_pod("/health/ready", language="pt-BR")
    english = await ask_pod("/health/ready")

    assert portuguese.problem == {
        "type": "/problems/service-unavailable",
        "title": "Serviço indisponível",
        "status": 503,
        "detail": "não está pronto: ConnectionError",
    }
    assert english.problem["detail"] == "not ready: ConnectionError"
    assert portuguese.headers["content-language"] == "pt-BR"
    assert english.headers["content-language"] == "en"
    assert {portuguese.headers["vary"], english.headers["vary"]} == {"Accept-Language"}
    assert portuguese.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("path", "method", "kind"),
    [("/none", "GET", "not-found"), ("/health/live", "PUT", "method-not-allowed")],
)
async def test_what_the_framework_refuses_has_its_type_too(
    path: str, method: str, kind: str
) -> None:
    answer = await ask_pod(path, method=method, language="pt")

    assert answer.problem["type"] == f"/problems/{kind}"
    assert answer.problem["detail"]


@pytest.mark.parametrize("folder", APPS)
async def test_a_function_tells_what_a_pod_tells(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    english, portuguese = TITLES[folder]
    monkeypatch.delenv("COMANDA_SHOPS", raising=False)
    gateway = gateway_of(folder)

    machine = await ask(gateway, headers=JSON, **WRONG[folder])
    person = await ask(gateway, headers=[*JSON, *PORTUGUESE], **WRONG[folder])

    assert (machine.problem["title"], person.problem["title"]) == (english, portuguese)
    assert machine.problem["type"] == person.problem["type"] != "about:blank"
    assert (machine.headers["content-language"], person.headers["content-language"]) == (
        "en",
        "pt-BR",
    )


async def test_the_edge_tells_its_own_refusals_too() -> None:
    edge = Edge({"/apis/orders": "http://127.0.0.1:1"})
    headers = {"Accept-Language": "pt"}

    async with (
        TestClient(TestServer(edge.application())) as client,
        client.get("/apis/none", headers=headers) as answer,
    ):
        problem = await _json(answer)

    assert (problem["type"], problem["detail"]) == (
        "/problems/not-found",
        "não há nada em /apis/none",
    )
    assert answer.headers["Content-Language"] == "pt-BR"


async def test_a_refused_method_is_told_all_that_the_path_takes() -> None:
    app = create_api("things", probe=_probe, lifespan=_lifespan)

    @app.get("/things")
    async def read() -> None:
        """Read."""

    @app.post("/things")
    async def write() -> None:
        """Write."""

    answer = await ask(cast("ChaliceGateway", app), headers=[], path="/things", method="OPTIONS")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/apis/%0Anone", "not-found"),
        ("GET", "/apis/none?q=" + "x" * 9000, "address-too-long"),
        ("TRACE", "/apis/orders", "method-not-allowed"),
        ("QUERY", "/apis/orders", "method-not-allowed"),
    ],
)
async def test_what_the_edge_cannot_pass_on_is_a_problem(method: str, path: str, kind: str) -> None:
    edge = Edge({"/apis/orders": "http://127.0.0.1:1"})

    async with TestClient(TestServer(edge.application())) as client:
        url = client.make_url("/").join(URL(path, encoded=True))
        async with client.session.request(method, url) as answer:
            problem = await _json(answer)

    assert problem["type"] == f"/problems/{kind}"
    assert ("Allow" in answer.headers) == (answer.status == 405)


async def _json(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    document: dict[str, Any] = await answer.json(content_type=None)
    return document
