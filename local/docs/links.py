"""Find links of our Markdown files that lead nowhere."""

import re
from collections.abc import Iterator
from pathlib import Path

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def dead_links(root: Path) -> list[str]:
    """Name every relative link without a target, as `file: link`."""
    return [
        f"{file.relative_to(root)}: {link}"
        for file in _documents(root)
        for link in _links(file.read_text())
        if not _leads_somewhere(file, link)
    ]


def _documents(root: Path) -> Iterator[Path]:
    for file in sorted(root.rglob("*.md")):
        parts = file.relative_to(root).parts
        if not any(part.startswith(".") or part == "node_modules" for part in parts):
            yield file


def _links(text: str) -> list[str]:
    return [link for link in _LINK.findall(_FENCE.sub("", text)) if "://" not in link]


def _leads_somewhere(file: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = file if not path else file.parent / path
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(file: Path) -> set[str]:
    titles = _HEADING.findall(file.read_text())
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
