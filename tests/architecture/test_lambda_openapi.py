"""What the Chalice apps declare of their routes is what they serve, and stays out of their zips."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from local.gateway.chalice_app import APPS
from local.gateway.loading import REPOSITORY, load_app
from local.gateway.openapi import Undeclared, declarations_of, describe
from tests.webhooks_edge import ask

ROOT = Path(__file__).resolve().parents[2]
JSON = dict[str, Any]


def document_of(folder: str) -> JSON:
    return describe(load_app(folder), declarations_of(ROOT / folder))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("folder", APPS)
def test_every_route_is_declared_once_and_every_declaration_is_a_route(folder: str) -> None:
    app = load_app(folder)
    served = {(path, m.lower()) for path, methods in app.routes.items() for m in methods}
    doors = declarations_of(REPOSITORY / folder)["doors"]
    hidden = {
        (door["path"], m.lower()) for door in doors if "is_hidden" in door for m in door["method"]
    }

    paths = document_of(folder)["paths"]

    assert {
        (path, method) for path, methods in paths.items() for method in methods
    } == served - hidden
    operations = [operation for methods in paths.values() for operation in methods.values()]
    assert all(
        operation["summary"].endswith(".") or operation["summary"] for operation in operations
    )
    assert len({operation["operationId"] for operation in operations}) == len(operations)


@pytest.mark.parametrize("folder", APPS)
def test_every_reference_leads_to_a_schema_and_every_schema_is_one(folder: str) -> None:
    document = document_of(folder)
    schemas = document["components"]["schemas"]

    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    used = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert used == set(schemas)


@pytest.mark.parametrize("folder", APPS)
def test_path_parameters_are_those_of_the_path(folder: str) -> None:
    for path, methods in document_of(folder)["paths"].items():
        for operation in methods.values():
            named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))


@pytest.mark.parametrize("change", ["missing", "surplus", "twice"])
def test_a_declaration_that_lags_behind_is_noticed(change: str) -> None:
    declared = deepcopy(declarations_of(ROOT / "auth_lambda"))
    door = declared["doors"][0]
    if change == "missing":
        declared["doors"].remove(door)
    else:
        declared["doors"].append({**door, "path": "/x"} if change == "surplus" else door)

    with pytest.raises(Undeclared):
        describe(load_app("auth_lambda"), declared)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "COMANDA_STAGE": "laptop",
        "COMANDA_SHOPS": "lanchonete-da-ana",
        "COMANDA_TOPIC_ARN": "arn:aws:sns:sa-east-1:000000000000:customers",
        "COMANDA_CUSTOMERS_TABLE": "customers",
        "COMANDA_CUSTOMER_POOL_ID": "pool",
        "COMANDA_CUSTOMER_CLIENT_ID": "client",
        "COMANDA_STAFF_POOL_ID": "pool",
        "COMANDA_STAFF_CLIENT_ID": "client",
        "COMANDA_GUEST_ISSUER": "https://guests.test",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


# A guarded route refuses its caller before it looks at a body, so its fields are tested elsewhere.
POSTS = [
    path
    for path, methods in document_of("auth_lambda")["paths"].items()
    if "post" in methods and "403" not in methods["post"]["responses"]
]


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("path", POSTS)
async def test_the_fields_that_are_declared_are_those_that_are_asked_for(path: str) -> None:
    from local.gateway.chalice_app import gateway_of

    document = document_of("auth_lambda")
    operation = document["paths"][path]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    gateway = gateway_of("auth_lambda")

    answer = await ask(
        gateway,
        headers=[("content-type", "application/json")],
        path=path.replace("{shop}", "lanchonete-da-ana"),
        method="POST",
        body=b"{}",
    )

    refused = operation["responses"][str(answer.status)]["content"]
    problem = document["components"]["schemas"]["Problem"]
    Draft202012Validator(problem).validate(json.loads(answer.body))
    assert answer.headers["content-type"] in refused
    fields = {error["field"] for error in answer.problem["errors"]}
    assert fields == set(schema.get("required", fields))
    assert fields <= set(schema["properties"])
