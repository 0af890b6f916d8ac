"""Write the generated documents; with `--check`, name what is stale and which links are dead."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.docs import bruno, problems, transitions
from local.docs.links import dead_links
from local.gateway.whole import whole_document

ROOT = Path(__file__).resolve().parent.parent.parent
COLLECTION = ROOT / "docs" / "collection"


def main(arguments: list[str]) -> int:
    """Return the number of faults found."""
    # Chalice makes clients when it is imported, and those want a region although nobody calls.
    os.environ.setdefault("AWS_DEFAULT_REGION", "sa-east-1")
    wanted = _wanted()
    if "--check" not in arguments:
        _write(wanted)
        return 0
    faults = [f"stale: {file.relative_to(ROOT)}" for file in _stale(wanted)]
    faults += [f"dead link: {link}" for link in dead_links(ROOT)]
    print("\n".join(faults) or "documents are true")
    return len(faults)


def _wanted() -> dict[Path, str]:
    collection = bruno.render(whole_document())
    return {
        ROOT / "docs" / "transitions.md": transitions.render(),
        ROOT / "docs" / "errors.md": problems.render(),
        **{COLLECTION / name: text for name, text in collection.items()},
    }


def _write(wanted: Mapping[Path, str]) -> None:
    for file in _strangers(wanted):
        file.unlink()
    for file, text in wanted.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _stale(wanted: Mapping[Path, str]) -> Iterator[Path]:
    yield from (f for f, text in wanted.items() if not f.exists() or f.read_text() != text)
    yield from _strangers(wanted)


def _strangers(wanted: Mapping[Path, str]) -> list[Path]:
    """Find requests of operations that are gone."""
    return [file for file in sorted(COLLECTION.rglob("*.bru")) if file not in wanted]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
