"""Write the generated documents; with `--check`, name what is stale and which links are dead."""

import sys
from pathlib import Path

from local.docs.links import dead_links
from local.docs.transitions import render

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str]) -> int:
    """Return the number of faults found."""
    target = ROOT / "docs" / "transitions.md"
    if "--check" not in arguments:
        target.write_text(render())
        return 0
    faults = [] if target.exists() and target.read_text() == render() else [f"stale: {target.name}"]
    faults += [f"dead link: {link}" for link in dead_links(ROOT)]
    print("\n".join(faults) or "documents are true")
    return len(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
