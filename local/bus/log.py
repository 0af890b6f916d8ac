"""The append-only log: what was acknowledged survives SIGKILL."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# Below this the log is not worth rewriting, however little of it is still alive.
SMALLEST_REWRITE = 64 * 1024 * 1024
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Log:
    """Write one JSON line a fact, without fsync: the page cache outlives the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _File(path)
        self._waiting: list[str] = []
        self._size = 0
        self._size_after_rewrite = 0

    def note(self, fact: dict[str, Any]) -> None:
        """Append one fact; `flush` makes it outlive the process."""
        self._waiting.append(_encode(fact))

    def note_line(self, line: str) -> None:
        """Append one fact that is written already."""
        self._waiting.append(line)

    @property
    def is_overgrown(self) -> bool:
        """Tell whether most of the log may be history by now."""
        return self._size > SMALLEST_REWRITE + 2 * self._size_after_rewrite

    def flush(self) -> None:
        """Hand what was noted to the operating system; call it before answering."""
        if self._waiting:
            self._waiting.append("")
            lines = "\n".join(self._waiting).encode()
            self._waiting.clear()
            self._size += len(lines)
            self._file.write(lines)

    def rewrite(self, facts: Iterable[dict[str, Any]]) -> None:
        """Replace the log by the shorter one that leads to the same state."""
        self._waiting.clear()
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.writelines(_encode(fact).encode() + b"\n" for fact in facts)
            self._size = self._size_after_rewrite = file.tell()
        self._file.close()
        fresh.replace(self._path)
        self._file = _File(self._path)


class _File:
    def __init__(self, path: Path) -> None:
        self._number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, content: bytes) -> None:
        while content:
            content = content[os.write(self._number, content) :]

    def close(self) -> None:
        os.close(self._number)


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """Read all facts; a last line that was cut by a kill was never acknowledged."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                return
