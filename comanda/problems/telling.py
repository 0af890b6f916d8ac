"""Tell a problem in the client's language.

A service's own document comes in, in English; the document that leaves has the catalogue's `type`,
always a `detail`, and Portuguese words when `Accept-Language` prefers them.
"""

import re
from collections.abc import Mapping
from typing import Any

from comanda.problems.catalogue import entry_of
from comanda.problems.entry import Entry
from comanda.problems.faults import FAULTS

ENGLISH, PORTUGUESE = "en", "pt-BR"
# Machines say nothing of languages, and what they read is kept in logs that engineers read.
DEFAULT = ENGLISH
_RANGE = re.compile(r"([a-z*]{1,8})(?:-[a-z0-9-]{1,32})?(?:;q=([01](?:\.\d{0,3})?))?", re.ASCII)
# Nobody speaks more; whoever sends thousands must not be listened to for long.
_MOST_RANGES = 20


def language_of(accept_language: str) -> str:
    """Choose between English and Portuguese as RFC 9110, section 12.5.4, has it."""
    wishes: dict[str, float] = {}
    for part in accept_language.lower().replace(" ", "").split(",", _MOST_RANGES)[:_MOST_RANGES]:
        found = _RANGE.fullmatch(part)
        if found:
            wishes[found[1]] = max(wishes.get(found[1], 0.0), float(found[2] or 1))
    rest = wishes.get("*", 0.0)
    portuguese, english = wishes.get("pt", rest), wishes.get("en", rest)
    if portuguese == english:
        return PORTUGUESE if portuguese and _is_first(accept_language) else DEFAULT
    return PORTUGUESE if portuguese > english else ENGLISH


def told(problem: Mapping[str, Any], *, accept_language: str) -> tuple[dict[str, Any], str]:
    """Give the document for the client, and its language for `Content-Language`.

    A problem that the catalogue does not know leaves as it came.
    """
    entry = entry_of(int(problem["status"]), str(problem.get("title", "")))
    if entry is None:
        return dict(problem), ENGLISH
    language = language_of(accept_language)
    words = _in_portuguese if language == PORTUGUESE else _in_english
    return {**problem, "type": entry.type, **words(entry, problem)}, language


def headers_of(language: str) -> dict[str, str]:
    """Give the headers that say in which language a problem is told, and that it was chosen."""
    return {"Content-Language": language, "Vary": "Accept-Language"}


def _in_english(entry: Entry, problem: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": entry.title.en, "detail": problem.get("detail") or entry.detail.en}


def _in_portuguese(entry: Entry, problem: Mapping[str, Any]) -> dict[str, Any]:
    detail = entry.detail_in_portuguese(str(problem.get("detail") or ""))
    words: dict[str, Any] = {"title": entry.title.pt, "detail": detail}
    if "errors" in problem:
        words["errors"] = [_fault(error) for error in problem["errors"]]
    return words


def _fault(error: Mapping[str, Any]) -> dict[str, Any]:
    # The field is a name in the request; whatever else is said of it is prose.
    return {key: said if key == "field" else _said(str(said)) for key, said in error.items()}


def _said(english: str) -> str:
    texts = (text.in_portuguese(english) for text in FAULTS)
    return next((text for text in texts if text is not None), english)


def _is_first(accept_language: str) -> bool:
    ranges = accept_language.lower()
    first = ranges.find("pt")
    return first >= 0 and (ranges.find("en") < 0 or first < ranges.find("en"))
