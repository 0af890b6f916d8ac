"""The receiver's own AWS client: botocore signs the same bytes, and outages have their name."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import ModuleType
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.gateway.loading import load_app

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ENVIRONMENT = {
    "AWS_REGION": "sa-east-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}


class Script:
    """A server that answers each request with the next line of a script."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes] | None] = []
        self.requests: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer.requests.append(self.rfile.read(int(self.headers["content-length"])))
                answer = outer.answers.pop(0)
                if answer is None:
                    self.close_connection = True
                    return
                status, body = answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def module() -> ModuleType:
    load_app("webhooks_lambda")
    return sys.modules["chalicelib.aws"]


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    yield script
    script.server.shutdown()
    script.server.server_close()
    script.thread.join()


@pytest.fixture
def client(module: ModuleType, script: Script) -> Any:
    service = module.service_of("sns", {**ENVIRONMENT, "AWS_ENDPOINT_URL": script.url})
    return module.AWSClient(service, clock=lambda: NOW)


@pytest.mark.parametrize("token", [None, "a-session-token/+="])
@pytest.mark.parametrize("body", [b"", b'{"SecretId":"a"}', "Message=ação".encode()])
@pytest.mark.parametrize("name", ["sns", "secretsmanager"])
def test_botocore_signs_the_same(
    module: ModuleType, name: str, body: bytes, token: str | None
) -> None:
    environment = {**ENVIRONMENT, **({"AWS_SESSION_TOKEN": token} if token else {})}
    service = module.service_of(name, environment)
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "  a.B "}

    ours = module.sign(service, body=body, headers=headers, now=NOW)

    request = AWSRequest("POST", service.url + "/", dict(headers), body)
    request.context["timestamp"] = "20261120T120000Z"
    request.headers["X-Amz-Date"] = "20261120T120000Z"
    if token:
        request.headers["X-Amz-Security-Token"] = token
    keys = Credentials(
        ENVIRONMENT["AWS_ACCESS_KEY_ID"], ENVIRONMENT["AWS_SECRET_ACCESS_KEY"], token
    )
    oracle = SigV4Auth(keys, name, "sa-east-1")
    canonical = oracle.canonical_request(request)
    signature = oracle.signature(oracle.string_to_sign(request, canonical), request)
    assert ours["Authorization"].endswith(f"Signature={signature}")


def test_an_endpoint_of_one_service_wins_over_the_one_of_all(module: ModuleType) -> None:
    environment = {
        **ENVIRONMENT,
        "AWS_ENDPOINT_URL": "http://all",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://vault/",
    }

    assert module.service_of("sns", environment).url == "http://all"
    assert module.service_of("secretsmanager", environment).url == "http://vault"
    assert module.service_of("sns", ENVIRONMENT).url == "https://sns.sa-east-1.amazonaws.com"


def test_a_connection_that_slept_too_long_is_replaced(client: Any, script: Script) -> None:
    script.answers = [(200, b"one"), None, (200, b"two")]

    assert [client.post(b"a", {}), client.post(b"b", {})] == [b"one", b"two"]
    assert script.requests == [b"a", b"b", b"b"]


def test_a_stumble_is_tried_again_once(client: Any, script: Script) -> None:
    script.answers = [(500, b""), (200, b"fine")]

    assert client.post(b"a", {}) == b"fine"


def test_a_service_that_is_down_is_called_unavailable(
    module: ModuleType, client: Any, script: Script
) -> None:
    script.answers = [(503, b"<Code>ServiceUnavailable</Code>"), None]

    with pytest.raises(module.AWSUnavailable):
        client.post(b"a", {})
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"__type":"com.amazonaws#ResourceNotFoundException"}', "ResourceNotFoundException"),
        (b'{"__type": "AccessDeniedException", "Message": "no"}', "AccessDeniedException"),
        (b"<Error><Code>NotFound</Code></Error>", "NotFound"),
        (b"nonsense", "HTTP 400"),
    ],
)
def test_a_refusal_carries_its_code_and_is_not_repeated(
    module: ModuleType, client: Any, script: Script, body: bytes, code: str
) -> None:
    script.answers = [(400, body)]

    with pytest.raises(module.AWSRefused) as caught:
        client.post(b"a", {})
    assert caught.value.code == code
