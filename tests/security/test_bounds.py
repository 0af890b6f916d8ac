"""Nothing that a client sends is without bounds: each document says so, of every field."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.identity_doors import documents

DOCUMENTS = {name: document for name, document in documents().items() if "lambda" not in name}
Schema = Mapping[str, Any]


def resolved(schema: Schema, *, document: Schema) -> Schema:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Schema = document["components"]["schemas"][name] if name else schema
    return found


def parts(schema: Schema, *, document: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Give every part of a schema with its path."""
    schema = resolved(schema, document=document)
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from parts(part, document=document, path=f"{path}.{name}")
    if "items" in schema:
        yield from parts(schema["items"], document=document, path=f"{path}[]")
    for key in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(key, ()):
            yield from parts(part, document=document, path=path)


def sent(document: Schema) -> Iterator[tuple[str, Schema]]:
    """Give every part of every JSON body, and every query and header of a document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            content = operation.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("schema")
            if body is not None:
                yield from parts(body, document=document, path=f"{name} body")
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    schema = parameter["schema"]
                    yield from parts(schema, document=document, path=f"{name} {parameter['name']}")


@pytest.mark.parametrize("service", DOCUMENTS)
def test_every_text_that_is_sent_has_a_longest_form(service: str) -> None:
    endless = [
        path
        for path, schema in sent(DOCUMENTS[service])
        if schema.get("type") == "string"
        and not {"maxLength", "pattern", "enum", "const", "format"} & set(schema)
    ]

    # A text without any rule is not even looked at: half a surrogate pair would pass.
    assert endless == []


@pytest.mark.parametrize("service", DOCUMENTS)
def test_every_list_and_number_that_is_sent_has_an_end(service: str) -> None:
    endless = [
        path
        for path, schema in sent(DOCUMENTS[service])
        if (schema.get("type") == "array" and "maxItems" not in schema)
        or (
            schema.get("type") == "integer"
            and not {"maximum", "exclusiveMaximum", "enum"} & set(schema)
        )
    ]

    assert endless == []


@pytest.mark.parametrize("service", DOCUMENTS)
def test_every_object_that_is_sent_refuses_what_it_does_not_know(service: str) -> None:
    open_objects = [
        path
        for path, schema in sent(DOCUMENTS[service])
        if "properties" in schema and schema.get("additionalProperties") is not False
    ]

    assert open_objects == []
