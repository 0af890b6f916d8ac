"""Render the public API as a collection of Bruno, an HTTP client whose requests are text files.

A request's address, headers and body are the document's own; ids come from the environment.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

JSON = dict[str, Any]
_PARAMETER = re.compile(r"\{(\w+)\}")
# What gives a token that the other requests need; the newest one is used.
_GIVING_TOKENS = ("/guests", "/tokens", "/tokens/refresh")
_OURS = {"idempotency-key": "{{$guid}}", "if-match": "*", "prefer": "wait=10"}
_LANGUAGES = {"application/json": "json", "text/csv": "text"}
_HEAD = {"version": "1", "name": "Comanda", "type": "collection", "ignore": []}
_ENVIRONMENT = """vars {
  edge: http://127.0.0.1:8000
  shop: lanchonete-da-ana
  token:
  order_id:
  product_id:
  charge_id:
  case_id:
  hook_id:
  replay_id:
  act_id:
  digest:
  username:
}
"""


def render(document: JSON) -> dict[str, str]:
    """Give the collection's files by path; the same document makes the same files."""
    files = {
        "bruno.json": json.dumps(_HEAD, indent=2) + "\n",
        "environments/laptop.bru": _ENVIRONMENT,
    }
    seen: Counter[str] = Counter()
    for path, method, operation in _operations(document):
        service = _service(path)
        # Counted by folder, or one route more would change the files of every service after it.
        seen[service] += 1
        name = f"{service}/{_file_name(path, method)}.bru"
        files[name] = _request(path, method, operation, number=seen[service])
    return files


def _operations(document: JSON) -> Iterator[tuple[str, str, JSON]]:
    for path, methods in sorted(document["paths"].items()):
        for method, operation in sorted(methods.items()):
            yield path, method, operation


def _service(path: str) -> str:
    return path.split("/")[2] if path.startswith("/apis/") else path.split("/")[1]


def _file_name(path: str, method: str) -> str:
    rest = path.split("{shop}", 1)[-1] if "{shop}" in path else path.rpartition("/")[2]
    words = re.sub(r"[^a-z0-9]+", "-", rest.lower()).strip("-")
    return f"{method}-{words}" if words else method


def _request(path: str, method: str, operation: JSON, *, number: int) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    media_type = next(iter(content), "")
    headers = dict(_headers(operation, media_type))
    query = dict(_asked(operation, "query"))
    address = _PARAMETER.sub(r"{{\1}}", path)
    blocks = [
        _block("meta", {"name": _name(path, method, operation), "type": "http", "seq": number}),
        _block(
            method,
            {
                "url": f"{{{{edge}}}}{address}",
                "body": _kind(media_type),
                "auth": "bearer",
            },
        ),
        _block("params:query", query),
        _block("headers", headers),
        _block("auth:bearer", {"token": "{{token}}"}),
        _body(media_type, content.get(media_type, {})),
        _keeping_the_token(path, method),
    ]
    return "\n".join(block for block in blocks if block)


def _name(path: str, method: str, operation: JSON) -> str:
    said = operation.get("description") or operation.get("summary") or path
    line = str(said).partition("\n")[0].rstrip(".").replace(":", ",")
    return f"{line} ({method.upper()} {_file_name(path, method).partition('-')[2]})"


def _headers(operation: JSON, media_type: str) -> Iterator[tuple[str, str]]:
    if media_type:
        yield "Content-Type", media_type
    yield from _asked(operation, "header")


def _asked(operation: JSON, place: str) -> Iterator[tuple[str, str]]:
    """Give parameters with values; those that may be left out are there, and switched off."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == place:
            switch = "" if parameter.get("required") else "~"
            yield switch + parameter["name"], _value(parameter)


def _value(parameter: JSON) -> str:
    name = parameter["name"].lower()
    if name in _OURS:
        return _OURS[name]
    if f"  {name}:" in _ENVIRONMENT:
        return f"{{{{{name}}}}}"
    told = parameter["schema"].get("default") or parameter["example"]
    return told if isinstance(told, str) else json.dumps(told)


def _kind(media_type: str) -> str:
    return _LANGUAGES.get(media_type, "file") if media_type else "none"


def _body(media_type: str, content: JSON) -> str:
    if not media_type:
        return ""
    kind = _kind(media_type)
    if kind == "file":
        return _block("body:file", {"file": f"@file(picture) @contentType({media_type})"})
    example = content["example"]
    text = example if kind == "text" else json.dumps(example, indent=2, ensure_ascii=False)
    lines = "\n".join(f"  {line}" for line in text.rstrip("\n").split("\n"))
    return f"body:{kind} {{\n{lines}\n}}\n"


def _keeping_the_token(path: str, method: str) -> str:
    if method != "post" or not path.endswith(_GIVING_TOKENS):
        return ""
    script = 'if (res.body.access_token) bru.setEnvVar("token", res.body.access_token);'
    return f"script:post-response {{\n  {script}\n}}\n"


def _block(name: str, values: Mapping[str, object]) -> str:
    if not values:
        return ""
    lines = "\n".join(f"  {key}: {value}".rstrip() for key, value in values.items())
    return f"{name} {{\n{lines}\n}}\n"
