"""The merged document of all services: an example of every body, each as its schema wants it."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from comanda.openapi.examples import Examples
from comanda.problems.catalogue import CATALOGUE
from local.gateway.documents import merge
from tests.identity_doors import documents

JSON = dict[str, Any]
# What has no body to show; a test of its own holds that these are all.
EMPTY = {"204", "304"}


@cache
def merged() -> JSON:
    return merge(documents())


def operations() -> Iterator[tuple[str, JSON]]:
    for path, methods in merged()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def bodies() -> Iterator[tuple[str, JSON]]:
    """Give every body that is taken or given, with the operation's name."""
    for name, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{name} takes", content
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                for content in response.get("content", {}).values():
                    yield f"{name} {status}", content


def faults(content: JSON) -> list[str]:
    """Say where an example is not what its schema wants."""
    schema = {**content["schema"], "components": merged()["components"]}
    found = Draft202012Validator(schema).iter_errors(content["example"])
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


def test_the_merged_document_holds_pods_and_functions() -> None:
    prefixes = {path.split("/")[2] for path in merged()["paths"] if path.startswith("/apis/")}

    assert prefixes == {"archive", "auth", "catalog", "orders", "payments"}
    assert "/webhooks/mercadopago/{shop}" in merged()["paths"]
    assert merged()["openapi"].startswith("3.1")


def test_every_body_has_an_example_that_is_not_empty() -> None:
    found = list(bodies())

    assert len(found) > 100
    assert [name for name, content in found if content.get("example") in (None, {}, [], "")] == []


def test_every_example_is_what_its_schema_wants() -> None:
    wrong = {name: told for name, content in bodies() if (told := faults(content))}

    assert wrong == {}


def test_every_parameter_has_an_example_that_its_schema_allows() -> None:
    wrong = [
        f"{name} {parameter['name']}: {told}"
        for name, operation in operations()
        for parameter in operation.get("parameters", [])
        if (told := faults(parameter))
    ]

    assert wrong == []


def test_every_success_has_a_body_or_says_that_it_has_none() -> None:
    silent = [
        f"{name} {status}"
        for name, operation in operations()
        for status, response in operation["responses"].items()
        if status.startswith("2") and status not in EMPTY and not response.get("content")
    ]

    # Mercado Pago reads no answer, so there is none.
    assert {name.partition(" ")[2] for name in silent} <= {"/webhooks/mercadopago/{shop} 200"}


def test_every_refusal_is_a_problem_document_of_the_catalogue() -> None:
    types = {entry.type for entry in CATALOGUE}

    for name, operation in operations():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                (media_type, content), *others = response["content"].items()
                assert (media_type, others) == ("application/problem+json", []), name
                assert content["example"]["type"] in types
                assert content["example"]["status"] == int(status)


def test_every_reference_leads_somewhere() -> None:
    schemas = merged()["components"]["schemas"]

    wanted = {ref.removeprefix("#/components/schemas/") for ref in references(merged())}

    assert wanted
    assert wanted <= schemas.keys()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "boolean"}, True),
        ({"const": "Bearer"}, "Bearer"),
        ({"enum": ["A", "B"]}, "A"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"type": ["null", "string"], "format": "date"}, "2026-11-21"),
        ({"type": "array", "items": {"type": "number"}}, [1.5]),
        ({"type": "string", "examples": ["own"]}, "own"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"RECEIVED": 1}),
    ],
)
def test_an_example_follows_its_schema(schema: JSON, example: Any) -> None:
    assert Examples({}).of(schema) == example


def test_a_schema_that_holds_itself_has_an_end() -> None:
    tree = {
        "type": "object",
        "properties": {"parts": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
    }

    example = Examples({"Tree": tree}).of({"$ref": "#/components/schemas/Tree"})

    assert str(example).count("parts") < 20
