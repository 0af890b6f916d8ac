"""Every door of both Chalice apps refuses in problem documents, whatever goes wrong behind it."""

import pytest

from local.gateway.chalice_app import APPS, gateway_of
from local.gateway.loading import REPOSITORY
from local.gateway.openapi import declarations_of
from tests.webhooks_edge import ask

DOORS = [
    (folder, door["path"].replace("{shop}", "lanchonete-da-ana"), door["method"])
    for folder in APPS
    for door in declarations_of(REPOSITORY / folder)["doors"]
    if isinstance(door["method"], str)
]


@pytest.mark.parametrize(("folder", "path", "method"), DOORS)
async def test_what_nobody_foresaw_is_a_problem_document_without_a_trace(
    folder: str, path: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without its settings, no function can do anything.
    for name in ("COMANDA_STAGE", "COMANDA_SHOPS", "COMANDA_TOPIC_ARN"):
        monkeypatch.delenv(name, raising=False)
    headers = [("content-type", "application/json")]

    answer = await ask(
        gateway_of(folder), headers=headers, path=path, method=method, body=b'{"kiosk":"k1"}'
    )

    assert answer.status == 500
    assert answer.problem["title"] == "Internal error"
    assert b"COMANDA" not in answer.body
    assert b"Traceback" not in answer.body


@pytest.mark.parametrize("folder", APPS)
@pytest.mark.parametrize("method", ["GET", "POST", "PROPFIND"])
async def test_an_unknown_path_is_a_problem_document(folder: str, method: str) -> None:
    answer = await ask(gateway_of(folder), headers=[], path="/apis/none", method=method)

    assert answer.status == 404
    assert answer.problem["detail"]
