"""Write JSON Schemas and the table of events from the dataclasses."""

import argparse
import json
import sys
import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from comanda.events import TYPES, Event
from comanda.ids import ShopId
from comanda.money import Money
from comanda.settings import topology

JSONSchema = dict[str, Any]

_INSTANT: JSONSchema = {
    "type": "string",
    "format": "date-time",
    "description": "An instant in UTC (RFC 3339).",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$",
}
_SCALARS: dict[object, JSONSchema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    datetime: _INSTANT,
    Money: {
        "type": "string",
        "description": "An amount of Brazilian reais.",
        "pattern": r"^(0|[1-9][0-9]{0,9})\.[0-9]{2}$",
    },
    ShopId: {"type": "string", "pattern": "^[a-z][a-z0-9-]{1,30}[a-z0-9]$"},
}
_NAME: JSONSchema = {"type": "string", "pattern": "^[ -~]{1,256}$"}


def schema_of(event_class: type[Event]) -> JSONSchema:
    """Describe the envelope of one event as JSON Schema 2020-12; unknown fields are allowed."""
    definitions: dict[str, JSONSchema] = {}
    context = event_class.wire_type.split(".", 1)[0]
    properties: JSONSchema = {
        "specversion": {"const": "1.0"},
        "id": _NAME,
        "source": {"const": f"comanda/{context}"},
        "type": {"const": event_class.wire_type},
        "subject": {"type": "string", "description": f"The `{event_class.subject_field}`."},
        "time": _INSTANT,
        "datacontenttype": {"const": "application/json"},
        "shopid": _SCALARS[ShopId],
        "correlationid": _NAME,
        "causationid": _NAME,
        "traceparent": _NAME,
        "data": _object(event_class, definitions=definitions),
    }
    optional = ("causationid", "traceparent")
    schema: JSONSchema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:comanda:{event_class.wire_type}",
        "title": event_class.__name__,
        "description": _sentence(event_class),
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": True,
    }
    return schema | ({"$defs": definitions} if definitions else {})


def event_table() -> str:
    """Render `docs/events.md`: every event, who sends it, what it means and who hears it."""
    rows = [_row(event_class) for _, event_class in sorted(TYPES.items())]
    return "\n".join(
        [
            "# Events",
            "",
            "Everything that happens in Comanda. Generated from `comanda/events.py` and"
            " `topology.json` by `python -m comanda.schemas`; do not edit.",
            "",
            "| event | type and schema | sent by | means | heard by |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def rendered(docs: Path) -> dict[Path, str]:
    """Give the text of every generated file, by its path."""
    files = {docs / "events.md": event_table()}
    for wire_type, event_class in TYPES.items():
        text = json.dumps(schema_of(event_class), indent=2, ensure_ascii=False) + "\n"
        files[docs / "schemas" / f"{wire_type}.json"] = text
    return files


def stale_files(docs: Path) -> list[Path]:
    """List what is missing, out of date, or describes an event that is no more."""
    files = rendered(docs)
    wrong = [path for path, text in files.items() if not path.exists() or _read(path) != text]
    orphans = [path for path in (docs / "schemas").glob("*.json") if path not in files]
    return sorted(wrong + orphans)


def write(docs: Path) -> None:
    """Write every generated file and delete the schemas of events that are no more."""
    (docs / "schemas").mkdir(parents=True, exist_ok=True)
    files = rendered(docs)
    for path in stale_files(docs):
        if path in files:
            path.write_text(files[path], encoding="utf-8")
        else:
            path.unlink()


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with `--check` tell which are stale; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m comanda.schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")
    default = Path(__file__).resolve().parent.parent / "docs"
    parser.add_argument("--docs", type=Path, default=default, help="the folder to write in")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.docs)
        return 0
    stale = stale_files(options.docs)
    for path in stale:
        sys.stderr.write(f"stale: {path.relative_to(options.docs)}\n")
    if stale:
        sys.stderr.write("run `python -m comanda.schemas`\n")
    return 1 if stale else 0


def _schema(kind: Any, *, definitions: dict[str, JSONSchema]) -> JSONSchema:
    arguments = get_args(kind)
    if get_origin(kind) in (Union, types.UnionType):
        some = [_schema(a, definitions=definitions) for a in arguments if a is not type(None)]
        return {"anyOf": [*some, {"type": "null"}]} if type(None) in arguments else {"anyOf": some}
    if get_origin(kind) is tuple:
        return _array(arguments, definitions=definitions)
    kind = getattr(kind, "__supertype__", kind)
    if kind in _SCALARS:
        return _SCALARS[kind]
    if not is_dataclass(kind):
        raise TypeError(f"no JSON Schema for {kind!r}")
    name = getattr(kind, "__name__")  # noqa: B009  # `is_dataclass` makes mypy forget the class.
    if name not in definitions:
        definitions[name] = _object(kind, definitions=definitions)
    return {"$ref": f"#/$defs/{name}"}


def _array(arguments: tuple[Any, ...], *, definitions: dict[str, JSONSchema]) -> JSONSchema:
    if arguments[-1] is Ellipsis:
        return {"type": "array", "items": _schema(arguments[0], definitions=definitions)}
    items = [_schema(argument, definitions=definitions) for argument in arguments]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}


def _object(kind: Any, *, definitions: dict[str, JSONSchema]) -> JSONSchema:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    return {
        "type": "object",
        "description": _sentence(kind),
        "properties": {name: _schema(hints[name], definitions=definitions) for name in names},
        "required": [field.name for field in fields(kind) if field.default is MISSING],
        "additionalProperties": True,
    }


def _row(event_class: type[Event]) -> str:
    wire_type = event_class.wire_type
    contexts = topology()["contexts"]
    senders = [name for name, context in contexts.items() if wire_type in context["publishes"]]
    hearers = [
        name for name, context in contexts.items() if wire_type in context.get("subscribes", ())
    ]
    link = f"[`{wire_type}`](schemas/{wire_type}.json)"
    means = _sentence(event_class).replace("|", "\\|")
    heard_by = ", ".join(hearers) or "nobody yet"
    return f"| {event_class.__name__} | {link} | {', '.join(senders)} | {means} | {heard_by} |"


def _sentence(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
