"""A snapshot and what happened since, in a folder; nothing appended is lost by a SIGKILL.

Runs in ministack's own environment, so it imports the standard library alone.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

Encode = Callable[[Any], Any]
Decode = Callable[[dict[str, Any]], Any]


class Journal:
    """Generations of snapshot and log: `state-<n>.json` and then `journal-<n>.jsonl`.

    A record is one write to the kernel, so it is wholly there once `append` returns, whoever is
    killed. There is no fsync: only a crash of the machine could lose what the kernel holds.
    """

    def __init__(self, folder: Path, *, encode: Encode, decode: Decode, least: int) -> None:
        self._folder = folder
        self._encode = encode
        self._decode = decode
        self._least = least
        folder.mkdir(parents=True, exist_ok=True)
        numbers = (int(path.stem.partition("-")[2]) for path in folder.glob("state-*.json"))
        self._generation = max(numbers, default=0)
        self._log: BinaryIO | None = None

    def snapshot(self) -> Any:
        """Give the last snapshot, None when there is none."""
        path = self._state(self._generation)
        if not path.exists():
            return None
        with path.open() as file:
            return json.load(file, object_hook=self._decode)

    def records(self) -> Iterator[Any]:
        """Give what was appended after that snapshot, in order."""
        path = self._journal(self._generation)
        if not path.exists():
            return
        with path.open("rb") as file:
            for line in file:
                # Only a line cut short by the kill lacks its end, and that was not acknowledged.
                if line.endswith(b"\n"):
                    yield json.loads(line, object_hook=self._decode)

    def append(self, record: Any) -> None:
        """Keep the record; when this returns, a SIGKILL cannot lose it."""
        line = json.dumps(record, default=self._encode, separators=(",", ":")).encode() + b"\n"
        if self._log is None:
            self._log = self._open()
        self._log.write(line)

    @property
    def is_due(self) -> bool:
        """Tell whether the log has outgrown the snapshot, so that compacting pays."""
        state = self._state(self._generation)
        limit = max(self._least, state.stat().st_size if state.exists() else 0)
        log = self._journal(self._generation)
        return log.exists() and log.stat().st_size > limit

    def compact(self, state: Any) -> None:
        """Begin a new generation with this state; a kill at any point leaves one of the two."""
        following = self._generation + 1
        half = self._folder / "state.half"
        # `dump` into a file encodes piece by piece in Python, and nobody is answered for seconds
        # while a big state is written.
        half.write_text(json.dumps(state, default=self._encode, separators=(",", ":")))
        half.rename(self._state(following))
        if self._log is not None:
            self._log.close()
            self._log = None
        self._journal(self._generation).unlink(missing_ok=True)
        self._state(self._generation).unlink(missing_ok=True)
        self._generation = following

    def _open(self) -> BinaryIO:
        path = self._journal(self._generation)
        _drop_half_line(path)
        return path.open("ab", buffering=0)

    def _state(self, generation: int) -> Path:
        return self._folder / f"state-{generation}.json"

    def _journal(self, generation: int) -> Path:
        return self._folder / f"journal-{generation}.jsonl"


def _drop_half_line(path: Path) -> None:
    # Appending behind a line that was cut short would spoil the next record too.
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
