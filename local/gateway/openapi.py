"""Describe a Chalice app in OpenAPI: its routes and docstrings, with `openapi.toml` beside them.

The declarations lie next to `app.py`, where a change of a route is a change of both, and outside of
what Chalice ships, so that no Lambda ever loads them.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from inspect import getdoc
from pathlib import Path
from typing import Any

from comanda.openapi.whole import finished

JSON = dict[str, Any]
SHOP: JSON = {"type": "string", "pattern": "^[a-z][a-z0-9-]{1,30}[a-z0-9]$"}
_PARAMETER = re.compile(r"\{(\w+)\}")


class Undeclared(Exception):
    """Routes and declarations differ; the message names every difference."""


def declarations_of(folder: Path) -> JSON:
    """Read the declarations of the app in this folder."""
    return tomllib.loads((folder / "openapi.toml").read_text())


def describe(app: Any, declared: JSON) -> JSON:
    """Give the app's OpenAPI document; raise `Undeclared` unless each route is declared once."""
    doors = {
        (door["path"], method): door for door in declared["doors"] for method in _methods(door)
    }
    routes = {
        (path, method): entry
        for path, methods in app.routes.items()
        for method, entry in methods.items()
    }
    _compare(set(routes), [(d["path"], m) for d in declared["doors"] for m in _methods(d)])
    paths: JSON = {}
    for (path, method), entry in sorted(routes.items()):
        if doors[path, method].get("is_hidden"):
            # It is a route for the sake of its refusal, and nobody is invited to use it.
            continue
        operation = _operation(entry, doors[path, method], app=app.app_name)
        paths.setdefault(path, {})[method.lower()] = operation
    document: JSON = {
        "openapi": "3.1.0",
        "info": {"title": f"Comanda {app.app_name}", "version": "1"},
        "paths": paths,
        "components": {"schemas": declared["schemas"]},
    }
    return finished(document)


def _methods(door: JSON) -> Sequence[str]:
    method = door["method"]
    return [method] if isinstance(method, str) else method


def _compare(routes: set[tuple[str, str]], doors: list[tuple[str, str]]) -> None:
    faults = [f"{method} {path} is not declared" for path, method in sorted(routes - set(doors))]
    faults += [f"{method} {path} is no route" for path, method in sorted(set(doors) - routes)]
    faults += [
        f"{m} {p} is declared twice" for p, m in sorted(set(doors)) if doors.count((p, m)) > 1
    ]
    if faults:
        raise Undeclared("; ".join(faults))


def _operation(entry: Any, door: JSON, *, app: str) -> JSON:
    summary = (getdoc(entry.view_function) or "").partition("\n")[0]
    operation: JSON = {
        "summary": summary,
        "operationId": f"{app}_{entry.view_name}_{entry.method.lower()}",
        "responses": _responses(door),
    }
    parameters = [_in_path(name) for name in _PARAMETER.findall(door["path"])]
    parameters += door.get("parameters", [])
    if parameters:
        operation["parameters"] = parameters
    if "takes" in door:
        content = _content("application/json", door["takes"])
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(door: JSON) -> JSON:
    given: Mapping[str, str] = door["gives"]
    responses: JSON = {
        status: {
            "description": HTTPStatus(int(status)).phrase,
            **({"content": _content("application/json", schema)} if schema else {}),
        }
        for status, schema in given.items()
    }
    for status in door["refuses"]:
        problem = _content("application/problem+json", "Problem")
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    return responses


def _in_path(name: str) -> JSON:
    schema = SHOP if name == "shop" else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _content(media_type: str, schema: str) -> JSON:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
