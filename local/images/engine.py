"""The tools that build and run an image, and what to say where they are missing."""

import os
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
STATE = REPOSITORY / ".comanda" / "images"
IMAGE = "localhost/comanda-workers:built"
BASE = "localhost/comanda-base:debian12"
# Neither user namespaces nor an overlay of a container's own are asked of the machine.
_ENVIRONMENT = {"BUILDAH_ISOLATION": "chroot"}


class Skipped(Exception):
    """This machine cannot do it; the message says what is missing."""


def need(*tools: str) -> None:
    """Raise `Skipped` unless all tools are here and we are root."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise Skipped(
            f"{', '.join(missing)} not found (Debian: apt-get install {' '.join(missing)})"
        )
    if os.geteuid() != 0:
        raise Skipped("building and running images here needs root")


def run(
    *words: str, seconds: int = 900, may_fail: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a tool and give what it said; its last words are raised when it fails."""
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, **_ENVIRONMENT},
    )
    if done.returncode != 0 and not may_fail:
        raise RuntimeError(f"{' '.join(words[:2])} failed:\n{done.stderr[-2000:]}")
    return done
