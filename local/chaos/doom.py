"""How a run tells a worker at which point of its code to die, and hears where it did.

Files beside each other: `.seen` grows by each point that the worker finds in itself, `.next`
holds the points at the first of which it must fall and the signal that fells it, `.struck` tells
where it fell, and while `.hunted` is there it falls wherever nobody fell yet.
"""

import json
import signal
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Doom:
    """The files of one worker, all of which begin with `base`."""

    base: Path

    def ordain(self, points: Collection[str], sent: signal.Signals) -> None:
        """Let the part, or who takes its place, fall at the first of the points that it meets."""
        half = self.base.with_suffix(".half")
        half.write_text(json.dumps({"points": sorted(points), "signal": int(sent)}))
        half.rename(self._file("next"))

    def withdraw(self) -> None:
        """Let it live."""
        self._file("next").unlink(missing_ok=True)

    def ordained(self) -> tuple[frozenset[str], int] | None:
        """Give the points and the signal, if there is one."""
        try:
            told = json.loads(self._file("next").read_text())
        except FileNotFoundError:
            return None
        return frozenset(told["points"]), told["signal"]

    def hunt(self) -> None:
        """From now on let it fall at each point at which nobody fell yet."""
        self._file("hunted").touch()

    def spare(self) -> None:
        """End the hunt."""
        self._file("hunted").unlink(missing_ok=True)

    @property
    def is_hunted(self) -> bool:
        """Tell whether it is to fall wherever nobody fell yet."""
        return self._file("hunted").exists()

    def note_seen(self, points: Iterable[str]) -> None:
        """Add points that the worker found."""
        self._add("seen", "".join(f"{point}\n" for point in points))

    def note_struck(self, *points: str) -> None:
        """Tell that the worker falls here and now."""
        self._add("struck", "".join(f"{point}\n" for point in points))
        self._add("falls", f"{points[-1]}\n")

    def seen(self) -> set[str]:
        """Give the points that are known."""
        return set(self._lines("seen"))

    def struck(self) -> list[str]:
        """Give where the worker fell, in order."""
        return self._lines("struck")

    def falls(self) -> list[str]:
        """Give the one point of each fall by which it is named, in order."""
        return self._lines("falls")

    def note_loaded(self, modules: Iterable[str]) -> None:
        """Tell what is imported, once fallen."""
        self._file("loaded").write_text("\n".join(sorted(modules)))

    def loaded(self) -> set[str]:
        """Give what the last that fell had imported."""
        return set(self._lines("loaded"))

    def _add(self, kind: str, text: str) -> None:
        with self._file(kind).open("a") as out:
            out.write(text)

    def _lines(self, kind: str) -> list[str]:
        path = self._file(kind)
        return path.read_text().splitlines() if path.exists() else []

    def _file(self, kind: str) -> Path:
        return self.base.with_suffix(f".{kind}")
