"""The `comanda` command as a process: its exit code, what it writes, and where it is led."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bus_server import ROOT


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Read what was written as one document."""
        assert self.out, self.err
        return json.loads(self.out)


def comanda(*words: str, places: Path | None = None) -> Said:
    """Run the command; nobody is at the keyboard."""
    # Tokens are kept beside the places, and not in the home of whoever tests.
    kept = {"XDG_CACHE_HOME": str(places.parent)} if places else {}
    led = ("--places", str(places)) if places else ()
    done = subprocess.run(
        [sys.executable, "-m", "console", *words, *led],
        cwd=ROOT,
        env={**os.environ, **kept},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Said(code=done.returncode, out=done.stdout, err=done.stderr)
