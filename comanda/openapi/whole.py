"""Finish an OpenAPI document: refusals are problem documents, and every body has an example."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from http import HTTPStatus
from typing import Any

from comanda.openapi.examples import Examples
from comanda.problems.catalogue import CATALOGUE

JSON = dict[str, Any]
PROBLEM_TYPE = "application/problem+json"
PROBLEM: JSON = {
    "type": "object",
    "description": "A refusal (RFC 9457); `detail` and `errors` say what to change.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
_OF_BODIES = (400, 408, 413)
_OF_QUERIES = 414
# FastAPI describes a refusal of its own, which no service of ours answers.
_NOT_OURS = ("HTTPValidationError", "ValidationError")


def finished(document: JSON, *, refusals: Sequence[int] = ()) -> JSON:
    """Give the document with problems for all refusals, and an example for each body.

    `refusals` are the statuses that any operation of the service may answer; those of a body that
    cannot be taken are added where there is one.
    """
    whole = deepcopy(document)
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    for name in _NOT_OURS:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    examples = Examples(schemas)
    for operation in operations(whole):
        _add_refusals(operation, refusals)
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                response["content"] = {PROBLEM_TYPE: _problem(int(status))}
            _exemplify(response, examples)
        _exemplify(operation.get("requestBody", {}), examples)
        for parameter in operation.get("parameters", []):
            schema, name = parameter["schema"], parameter["name"].lower().replace("-", "_")
            parameter.setdefault("example", examples.of(schema, name=name))
    return whole


def operations(document: JSON) -> Iterator[JSON]:
    """Give every operation of a document."""
    for methods in document["paths"].values():
        yield from methods.values()


def _add_refusals(operation: JSON, refusals: Sequence[int]) -> None:
    if refusals and "requestBody" in operation:
        refusals = (*refusals, *_OF_BODIES)
    if refusals and any(it["in"] == "query" for it in operation.get("parameters", [])):
        refusals = (*refusals, _OF_QUERIES)
    for status in refusals:
        told = {"description": HTTPStatus(status).phrase}
        operation["responses"].setdefault(str(status), told)


def _exemplify(holder: JSON, examples: Examples) -> None:
    for media_type, content in holder.get("content", {}).items():
        if "example" not in content and "examples" not in content:
            content.setdefault("schema", {"type": "string", "format": "binary"})
            content["example"] = examples.of_content(media_type, content["schema"])


def _problem(status: int) -> JSON:
    schema = {"$ref": "#/components/schemas/Problem"}
    entry = next((it for it in CATALOGUE if it.status == status), None)
    if entry is None:
        return {"schema": schema}
    told = {"type": entry.type, "title": entry.title.en, "status": status}
    return {"schema": schema, "example": {**told, "detail": entry.detail.en}}
