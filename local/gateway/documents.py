"""Merge the OpenAPI documents of all services into the one that is served at the public door."""

from collections.abc import Mapping
from typing import Any

JSON = dict[str, Any]
_SCHEMAS = "#/components/schemas/"


def merge(documents: Mapping[str, JSON]) -> JSON:
    """Give one document; a schema whose name two services use otherwise is named after its service.

    The keys name the services, such as `orders`; an empty document is a service that is down.
    """
    merged: JSON = {
        "openapi": "3.1.0",
        "info": {"title": "Comanda", "version": "1"},
        "paths": {},
        "components": {"schemas": {}},
    }
    for service, document in documents.items():
        own = _without_collisions(document, service, taken=merged["components"]["schemas"])
        for path, operations in own.get("paths", {}).items():
            merged["paths"].setdefault(path, {}).update(operations)
        for kind, named in own.get("components", {}).items():
            merged["components"].setdefault(kind, {}).update(named)
    return merged


def _without_collisions(document: JSON, service: str, *, taken: JSON) -> JSON:
    schemas = document.get("components", {}).get("schemas", {})
    renamed = {
        name: f"{service}.{name}"
        for name, schema in schemas.items()
        if name in taken and taken[name] != schema
    }
    if not renamed:
        return document
    copy: JSON = _renamed(document, renamed)
    copy["components"]["schemas"] = {
        renamed.get(name, name): schema for name, schema in copy["components"]["schemas"].items()
    }
    return copy


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _reference(key, _renamed(item, names), names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value


def _reference(key: str, value: Any, names: Mapping[str, str]) -> Any:
    if key != "$ref" or not isinstance(value, str):
        return value
    name = value.removeprefix(_SCHEMAS)
    return _SCHEMAS + names.get(name, name)
