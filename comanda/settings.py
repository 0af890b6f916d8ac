"""Settings are read once, at start, into a frozen dataclass; everything wrong is told at once."""

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from comanda.ids import ShopId

T = TypeVar("T")
PREFIX = "COMANDA_"


class SettingsError(Exception):
    """The environment is wrong; the message lists every fault, one a line."""


def read(cls: type[T], environ: Mapping[str, str] | None = None) -> T:
    """Build `cls` from `COMANDA_<FIELD>` variables; raise `SettingsError` with all that is wrong.

    Fields may be `str`, `int`, `float`, `bool` (`true`/`false`), `ShopId` or `tuple[ShopId, ...]`
    (separated by commas). A production stage refuses any `AWS_ENDPOINT_URL` variable.
    """
    source = os.environ if environ is None else environ
    faults: list[str] = []
    values: dict[str, Any] = {}
    hints = get_type_hints(cls)
    for field in fields(cls):  # type: ignore[arg-type]  # mypy cannot say "a dataclass type"
        name = PREFIX + field.name.upper()
        text = source.get(name)
        if text is None or text == "":
            if field.default is MISSING:
                faults.append(f"{name} is missing")
            continue
        try:
            values[field.name] = _convert(hints[field.name], text)
        except ValueError as exc:
            faults.append(f"{name}: {exc}")
    faults += _endpoint_faults(source)
    if faults:
        raise SettingsError("the environment is wrong:\n  " + "\n  ".join(faults))
    return cls(**values)


def _convert(kind: Any, text: str) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError("true or false is needed")
        return text == "true"
    if kind == tuple[ShopId, ...]:
        return tuple(ShopId(part.strip()) for part in text.split(","))
    return kind(text)


def _endpoint_faults(source: Mapping[str, str]) -> list[str]:
    # A stand-in signs with keys that everybody knows, so production must never be led to one.
    if source.get(PREFIX + "STAGE") not in ("prod", "production"):
        return []
    names = sorted(name for name in source if name.startswith("AWS_ENDPOINT_URL"))
    return [f"{name} is set, and production talks to AWS alone" for name in names]


@cache
def topology(path: str | None = None) -> dict[str, Any]:
    """Read `topology.json`, the one description of contexts, topics, queues and tables."""
    chosen = path or os.environ.get(PREFIX + "TOPOLOGY")
    file = Path(chosen) if chosen else Path(__file__).resolve().parent.parent / "topology.json"
    content: dict[str, Any] = json.loads(file.read_text())
    return content
