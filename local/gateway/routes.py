"""Find the Chalice route of a path, as API Gateway does."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote


class RouteTable:
    """The routes of one app: templates such as `/apis/auth/{shop}/guests`."""

    def __init__(self, routes: Mapping[str, Mapping[str, Any]]) -> None:
        self._templates = [
            (tuple(template.strip("/").split("/")), template, frozenset(methods))
            for template, methods in routes.items()
        ]

    def find(self, path: str, method: str) -> tuple[str, dict[str, str]] | None:
        """Give the template and its parameters, URL-decoded; literal segments win."""
        parts = tuple(path.strip("/").split("/"))
        if path != "/" and (path.endswith("/") or "//" in path):
            return None
        found = [
            (sum(s.startswith("{") for s in segments), template, segments)
            for segments, template, methods in self._templates
            if method in methods and _fits(segments, parts)
        ]
        if not found:
            return None
        _, template, segments = min(found)
        names = zip(segments, parts, strict=True)
        return template, {s[1:-1]: unquote(p) for s, p in names if s.startswith("{")}


def _fits(segments: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    return len(segments) == len(parts) and all(
        (segment.startswith("{") and part != "") or segment == part
        for segment, part in zip(segments, parts, strict=True)
    )
