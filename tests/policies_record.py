"""The record of what programs asked of IAM, and what today's policies say to it.

`python -m local.iam` writes `policies_used.json` from whole runs of a guarded laptop. A right that
no run uses is named in `policies_unused.json` with its reason.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from local.iam.record import Entry, entry_of
from local.provision.context import REPOSITORY

FOLDER = Path(__file__).resolve().parent
USED, UNUSED = FOLDER / "policies_used.json", FOLDER / "policies_unused.json"
_PYTHON = REPOSITORY / ".venv-ministack" / "bin" / "python"
_RIGHTS = REPOSITORY / "local" / "iam" / "rights.py"
# A workload, and the statement, action and resource of its policy.
Right = tuple[str, str, str, str]


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What the evaluator says to entries: whom it denies, and which rights somebody needs."""

    denied: frozenset[Entry]
    needed: frozenset[Right]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why no run uses these rights; both words may hold wildcards."""

    workload: str
    action: str
    why: str

    def covers(self, right: Right) -> bool:
        """Tell whether it speaks of this right."""
        return fnmatchcase(right[0], self.workload) and fnmatchcase(right[2], self.action)


def used() -> tuple[Entry, ...]:
    """Read the record."""
    return tuple(map(entry_of, json.loads(USED.read_text())))


def reasons() -> tuple[Reason, ...]:
    """Read why some rights are not in it."""
    return tuple(Reason(**it) for it in json.loads(UNUSED.read_text()))


def replay(policies: Mapping[str, Any], entries: Sequence[Entry]) -> Replay:
    """Ask the evaluator, in its own environment, as if all of these had been asked anew."""
    told = {"policies": policies, "entries": [{**it.as_data(), "denied": False} for it in entries]}
    answer = subprocess.run(
        (_PYTHON, _RIGHTS), input=json.dumps(told), text=True, capture_output=True, check=True
    )
    said = json.loads(answer.stdout)
    return Replay(
        denied=frozenset(map(entry_of, said["denied"])),
        needed=frozenset((it[0], it[1], it[2], it[3]) for it in said["needed"]),
    )
