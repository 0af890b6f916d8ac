"""The catalogue of problems: one entry for each status and English title that we answer with.

Services refuse in English, where the refusal happens, and those words are the key, as in gettext's
catalogues; a test reads every service's source and finds no problem without its entry.
"""

from collections.abc import Mapping
from functools import cache

from comanda.problems import everywhere, keeping, selling
from comanda.problems.entry import Entry

# The title of what a framework refuses in words of its own.
UNNAMED = "Refused"
CATALOGUE: tuple[Entry, ...] = (*everywhere.ENTRIES, *selling.ENTRIES, *keeping.ENTRIES)


def entry_of(status: int, title: str) -> Entry | None:
    """Find the entry of a problem; what a framework refuses gets the first one of its status."""
    return _by_title().get((status, title)) or (
        _by_status().get(status) if title == UNNAMED else None
    )


@cache
def _by_title() -> Mapping[tuple[int, str], Entry]:
    return {(entry.status, entry.title.en): entry for entry in CATALOGUE}


@cache
def _by_status() -> Mapping[int, Entry]:
    return {entry.status: entry for entry in reversed(CATALOGUE)}
