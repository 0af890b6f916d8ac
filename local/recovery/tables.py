"""Back up the tables' stand-in as it works, and restore them as they were at a point in time.

Its journal is a snapshot and what was committed since, line by line (`local.ministack.journal`). A
shipper copies what is new some times a second and notes when; a restore takes what was there at the
last note before the point in time. On AWS, DynamoDB's point-in-time recovery does this.
"""

import asyncio
import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_PAUSE_SECONDS = 0.2


class NoBackup(RuntimeError):
    """Nothing was shipped before that point in time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """How long the journal of a generation was, and when (seconds since the epoch)."""

    at: float
    generation: int
    size: int


class Shipper:
    """Copy a journal to another folder while it grows."""

    def __init__(self, source: Path, *, target: Path) -> None:
        self._source = source
        self._target = target
        self._marks: list[Mark] = []
        target.mkdir(parents=True, exist_ok=True)

    @property
    def last_mark(self) -> Mark:
        """Give the newest note; raise `NoBackup`."""
        if not self._marks:
            raise NoBackup("nothing was shipped yet")
        return self._marks[-1]

    async def run(self) -> None:
        """Ship until cancelled."""
        while True:
            await asyncio.to_thread(self.ship)
            await asyncio.sleep(_PAUSE_SECONDS)

    def ship(self) -> None:
        """Copy what is new since the last time."""
        at = time.time()
        generation = max(_generations(self._source), default=0)
        state, journal = _files(self._source, generation)
        kept_state, kept = _files(self._target, generation)
        try:
            if state.exists() and not kept_state.exists():
                shutil.copy2(state, kept_state)
            content = _new_lines(journal, begin=kept.stat().st_size if kept.exists() else 0)
        except FileNotFoundError:
            return  # A new generation began meanwhile, and is shipped the next time.
        with kept.open("ab") as file:
            file.write(content)
        self._marks.append(Mark(at=at, generation=generation, size=kept.stat().st_size))

    def restore(self, folder: Path, *, until: datetime) -> Mark:
        """Put the tables of that time into `folder`, in place of what is there."""
        found = [mark for mark in self._marks if mark.at <= until.timestamp()]
        if not found:
            raise NoBackup(f"nothing was shipped before {until}")
        mark = found[-1]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        kept_state, kept = _files(self._target, mark.generation)
        state, journal = _files(folder, mark.generation)
        if kept_state.exists():
            shutil.copy2(kept_state, state)
        journal.write_bytes(kept.read_bytes()[: mark.size])
        return mark


def _new_lines(journal: Path, *, begin: int) -> bytes:
    if not journal.exists():
        return b""
    with journal.open("rb") as file:
        file.seek(begin)
        content = file.read()
    # A line that is just being written has no end yet.
    return content[: content.rfind(b"\n") + 1]


def _generations(folder: Path) -> list[int]:
    return [int(path.stem.partition("-")[2]) for path in folder.glob("state-*.json")]


def _files(folder: Path, generation: int) -> tuple[Path, Path]:
    return folder / f"state-{generation}.json", folder / f"journal-{generation}.jsonl"
