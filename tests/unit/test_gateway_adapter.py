"""API Gateway on the laptop: its limits, refusals and check of tokens."""

import asyncio
import json
import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from chalice import Chalice, CognitoUserPoolAuthorizer, IAMAuthorizer, Response
from chalice.local import CustomLocalChalice

from comanda.identity.verifier import InvalidToken, KeysUnavailable
from local.gateway.adapter import ChaliceGateway, NotPlayedHere
from tests.webhooks_edge import Answer, ask

POOL = CognitoUserPoolAuthorizer("people", provider_arns=["arn:aws:cognito-idp:x"])


def authorize(token: str) -> Mapping[str, Any]:
    if token == "offline":
        raise KeysUnavailable
    if token != "good":
        raise InvalidToken("signature")
    return {"sub": "maria"}


def new_app() -> Chalice:
    app = Chalice(app_name="probe", configure_logs=False)
    app.__class__ = CustomLocalChalice

    @app.route("/echo/{name}", methods=["GET", "POST"], content_types=["*/*"])
    def echo(name: str) -> dict[str, Any]:
        request = app.current_request.to_original_event()
        return {"name": name, "body": request["body"], "base64": request["isBase64Encoded"]}

    @app.route("/echo/self")
    def literal() -> dict[str, Any]:
        return {"literal": True}

    @app.route("/raise")
    def fail() -> None:
        raise ValueError("a secret of ours")

    @app.route("/binary")
    def binary() -> Response:
        headers = {"Content-Type": "application/octet-stream", "Set-Cookie": ["a=1", "b=2"]}
        return Response(b"\xff\x00", headers=headers)

    @app.route("/mine", authorizer=POOL)
    def mine() -> Any:
        return app.current_request.context["authorizer"]

    return app


@pytest.fixture
def gateway() -> ChaliceGateway:
    return ChaliceGateway(
        new_app(), name="probe", authorize=authorize, documents={"/openapi.json": {"paths": {}}}
    )


async def get(gateway: ChaliceGateway, path: str, **headers: str) -> Answer:
    return await ask(gateway, headers=list(headers.items()), path=path, method="GET")


async def test_path_parameters_are_decoded_and_literals_win(gateway: ChaliceGateway) -> None:
    decoded = await get(gateway, "/echo/a%20b%C3%A7")
    literal = await get(gateway, "/echo/self")

    assert json.loads(decoded.body)["name"] == "a bç"
    assert json.loads(literal.body) == {"literal": True}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", {"body": None, "base64": False}),
        ("ação".encode(), {"body": "ação", "base64": False}),
        (b"\xff", {"body": "/w==", "base64": True}),
    ],
)
async def test_a_body_is_text_where_it_can_be(
    gateway: ChaliceGateway, body: bytes, expected: dict[str, Any]
) -> None:
    answer = await ask(gateway, headers=[], path="/echo/x", method="POST", body=body)

    assert json.loads(answer.body) == {"name": "x", **expected}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/nothing", "GET"),
        ("/echo/x", "DELETE"),
        ("/echo/x/", "GET"),
        ("//echo/x", "GET"),
        ("/", "GET"),
    ],
)
async def test_what_is_no_route_is_not_found(
    gateway: ChaliceGateway, path: str, method: str
) -> None:
    answer = await ask(gateway, headers=[], path=path, method=method)

    assert answer.status == 404
    assert answer.problem["title"] == "Not found"


async def test_a_payload_over_ten_mebibytes_is_refused(gateway: ChaliceGateway) -> None:
    body = b" " * (10 * 1024 * 1024 + 1)

    answer = await ask(gateway, headers=[], path="/echo/x", method="POST", body=body)

    assert answer.status == 413
    assert answer.problem["title"] == "Content too large"


async def test_a_function_that_fails_is_a_bad_gateway_and_tells_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        routes = new_app().routes

        def __call__(self, _event: object, _context: object) -> object:
            raise RuntimeError("a secret of ours")

    with caplog.at_level(logging.ERROR):
        answer = await get(ChaliceGateway(Broken(), name="x", authorize=authorize), "/raise")

    assert answer.status == 502
    assert b"secret" not in answer.body
    assert answer.problem["title"] == "Bad gateway"


@pytest.mark.parametrize(
    "answered", [None, {}, {"statusCode": "x"}, {"statusCode": 200, "body": 7}]
)
async def test_an_answer_that_is_none_is_a_bad_gateway(answered: object) -> None:
    class Odd:
        routes = new_app().routes

        def __call__(self, _event: object, _context: object) -> object:
            return answered

    answer = await get(ChaliceGateway(Odd(), name="x", authorize=authorize), "/raise")

    assert answer.status == 502
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_function_that_takes_too_long_is_a_gateway_timeout() -> None:
    finish = threading.Event()

    class Slow:
        routes = new_app().routes

        def __call__(self, _event: object, _context: object) -> object:
            finish.wait(10)
            return {"statusCode": 200}

    gateway = ChaliceGateway(Slow(), name="x", authorize=authorize, time_limit=0.05)

    answer = await get(gateway, "/raise")
    finish.set()

    assert answer.status == 504
    assert answer.problem["title"] == "Gateway timeout"


async def test_binary_answers_and_repeated_headers_come_through(gateway: ChaliceGateway) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/binary",
        "query_string": b"",
        "headers": [(b"accept", b"application/octet-stream")],
    }
    await gateway(scope, receive, send)

    assert sent[1]["body"] == b"\xff\x00"
    assert [v for k, v in sent[0]["headers"] if k == b"set-cookie"] == [b"a=1", b"b=2"]


async def test_half_a_request_reaches_no_function(gateway: ChaliceGateway) -> None:
    messages = iter(
        [
            {"type": "http.request", "body": b"half", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/echo/x",
        "query_string": b"",
        "headers": [],
    }
    await gateway(scope, receive, send)

    assert sent == []


@pytest.mark.parametrize("header", ["good", "Bearer good", "bearer  good"])
async def test_a_good_token_brings_its_claims(gateway: ChaliceGateway, header: str) -> None:
    answer = await get(gateway, "/mine", Authorization=header)

    assert answer.status == 200
    assert json.loads(answer.body) == {"claims": {"sub": "maria"}}


@pytest.mark.parametrize("header", ["", "bad", "Bearer", "Bearer ", "Basic good"])
async def test_a_token_that_is_missing_or_bad_never_reaches_the_function(
    gateway: ChaliceGateway, header: str
) -> None:
    answer = await get(gateway, "/mine", **({"Authorization": header} if header else {}))

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.problem["title"] == "A bearer token is needed"


async def test_keys_out_of_reach_are_no_verdict_on_a_token(gateway: ChaliceGateway) -> None:
    assert (await get(gateway, "/mine", Authorization="offline")).status == 502


def test_what_cannot_be_checked_is_not_served() -> None:
    app = Chalice(app_name="x", configure_logs=False)
    app.route("/iam", authorizer=IAMAuthorizer())(dict)

    with pytest.raises(NotPlayedHere, match="GET /iam: IAMAuthorizer"):
        ChaliceGateway(app, name="x", authorize=authorize)
    with pytest.raises(NotPlayedHere):
        ChaliceGateway(new_app(), name="x")


async def test_documents_are_served_beside_the_routes(gateway: ChaliceGateway) -> None:
    assert json.loads((await get(gateway, "/openapi.json")).body) == {"paths": {}}
    assert (await get(gateway, "/health")).status == 200
    head = await ask(gateway, headers=[], path="/health", method="HEAD")
    assert (head.status, head.body) == (200, b"")
