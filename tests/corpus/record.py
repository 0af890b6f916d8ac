"""Record what this version sends: `python -m tests.corpus.record NAME`, once a release.

Writes `events/NAME.jsonl`, some of each event as they go over the wire, and
`statements/CONTEXT-REVISION.json`, the SQL that the code sends to its newest schema. Neither is
ever changed afterwards: later versions are held to them.
"""

import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from hypothesis.errors import NonInteractiveExampleWarning

from comanda.events import TYPES
from tests.event_strategies import envelopes_of

CORPUS = Path(__file__).parent
EACH = 6
MODULES = {"payments": ("sql", "reading_sql"), "catalog": ("sql", "sql_menu")}
_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


def events() -> Iterator[str]:
    """Give some of each event, drawn from the types of their fields."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonInteractiveExampleWarning)
        for kind in sorted(TYPES):
            strategy = envelopes_of(TYPES[kind])
            yield from sorted({strategy.example().to_json() for _ in range(EACH)})


def statements(context: str) -> dict[str, str]:
    """Give the statements of a context by module and name."""
    found = {}
    for name in MODULES[context]:
        module = importlib.import_module(f"workers.{context}.{name}")
        for constant, text in vars(module).items():
            is_public = constant.isupper() and not constant.startswith("_")
            if is_public and isinstance(text, str) and text.split()[0] in _VERBS:
                found[f"{name}.{constant}"] = text.strip()
    return found


def newest_revision(context: str) -> str:
    """Give the number of the newest migration."""
    folder = Path(__file__).parents[2] / "workers" / context / "migrations" / "versions"
    return max(path.name[1:5] for path in folder.glob("v*.py"))


def main(name: str) -> None:
    """Write the corpus of this version; what is recorded already is left as it is."""
    _write(CORPUS / "events" / f"{name}.jsonl", "".join(f"{line}\n" for line in events()))
    for context in MODULES:
        text = json.dumps(statements(context), indent=2, ensure_ascii=False, sort_keys=True)
        path = CORPUS / "statements" / f"{context}-{newest_revision(context)}.json"
        _write(path, text + "\n")


def _write(path: Path, text: str) -> None:
    if path.exists():
        print(f"{path.name} is recorded already")
        return
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
