"""Look at a process and all that it started: memory, open handles, threads."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_SESSION_FIELD = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Vitals:
    """Memory in megabytes that is resident, open handles, tasks of event loops."""

    memory_mb: float
    handles: int
    tasks: int


def look(pids: Mapping[str, int], *, tasks: Path) -> dict[str, Vitals]:
    """Look at each part by the id of its first process; whoever is gone is left out.

    What a part started belongs to its session. Tasks stand in files of `tasks`, by name.
    """
    sessions: dict[int, list[Path]] = {}
    for process in _PROC.iterdir():
        if process.name.isdigit() and (session := _session(process)) is not None:
            sessions.setdefault(session, []).append(process)
    return {
        name: Vitals(
            memory_mb=sum(map(_resident_mb, sessions[pid])),
            handles=sum(map(_handles, sessions[pid])),
            tasks=_number(tasks / name),
        )
        for name, pid in pids.items()
        if pid in sessions
    }


def _session(process: Path) -> int | None:
    with suppress(OSError):
        # The name in brackets may hold anything, blanks and brackets as well.
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        return int(fields[_SESSION_FIELD])
    return None


def _resident_mb(process: Path) -> float:
    with suppress(OSError):
        for line in (process / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _handles(process: Path) -> int:
    with suppress(OSError):
        return sum(1 for _ in (process / "fd").iterdir())
    return 0


def _number(file: Path) -> int:
    with suppress(OSError):
        return int(file.read_text())
    return 0
