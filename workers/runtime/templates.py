"""Paths without what varies in them: the names of spans are few, and ids stay out of them."""

import re

# Mercado Pago's words are small letters; its ids are numbers, UUIDs, or such as `ORD01J...`.
_FIXED = re.compile(r"[a-z_]{0,32}|v\d{1,2}", re.ASCII)


def template_of(path: str) -> str:
    """Put `{id}` where a part of the path is neither a word nor a version."""
    return "/".join(part if _FIXED.fullmatch(part) else "{id}" for part in path.split("/"))
