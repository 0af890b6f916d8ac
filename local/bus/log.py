"""The append-only log: what was acknowledged survives SIGKILL; it is the journal, too."""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

JOURNAL_LENGTH = 2000
# Receives change nothing that must survive: a message that was in flight comes back.
VOLATILE = frozenset({"received"})


class Log:
    """Write one JSON line an event, without fsync: the page cache outlives the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a", encoding="utf-8", buffering=1024 * 64)
        self.recent: deque[dict[str, Any]] = deque(maxlen=JOURNAL_LENGTH)
        self._is_dirty = False

    def note(self, kind: str, **facts: Any) -> None:
        """Append one fact; `flush` makes it outlive the process."""
        line = {"kind": kind, **facts}
        self.recent.append({k: v for k, v in line.items() if k != "body"})
        if kind not in VOLATILE:
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._is_dirty = True

    def flush(self) -> None:
        """Hand what was noted to the operating system; call it before answering."""
        if self._is_dirty:
            self._file.flush()
            self._is_dirty = False

    def rewrite(self, facts: Iterable[dict[str, Any]]) -> None:
        """Replace the log by the shorter one that leads to the same state."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            for fact in facts:
                file.write(json.dumps(fact, separators=(",", ":")) + "\n")
        self._file.close()
        fresh.replace(self._path)
        self._file = self._path.open("a", encoding="utf-8", buffering=1024 * 64)


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
