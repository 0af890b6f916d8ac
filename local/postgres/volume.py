"""A small file system of the server's own, which can be filled to the last byte and freed again.

It is memory, mounted in namespaces of an ordinary user, where the system allows that: no root, and
nobody else sees it. It outlives the server, as a disk does, and ends with the block that made it.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from local.postgres.ordinary_user import NAMESPACE

_OWN = ("unshare", "--user", "--map-root-user", "--mount")
# Who keeps the namespaces leaves when the pipe to it ends, which it does however we die.
_KEEP = 'mount -t tmpfs -o "size=$1m,mode=0700" tmpfs "$2" && echo mounted && exec cat'
_PIECE = bytes(65536)


@dataclass(frozen=True, kw_only=True, slots=True)
class Volume:
    """A mounted volume: `folder` as the server sees it, `outside` as we do.

    `prefix` stands before a command that is to see it, as an ordinary user.
    """

    folder: Path
    outside: Path
    prefix: tuple[str, ...]

    def fill(self) -> None:
        """Leave no room at all; who writes more is told ENOSPC."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as out:
            while out.write(_PIECE):
                pass

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.outside / "ballast"


def is_allowed() -> bool:
    """Tell whether an ordinary user may mount a volume here."""
    command = (*_OWN, "mount", "-t", "tmpfs", "tmpfs", "/mnt")
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def small_volume(folder: Path, *, megabytes: int) -> Iterator[Volume | None]:
    """Mount a volume on `folder`, which is made; give `None` where no such thing is allowed."""
    folder.mkdir(parents=True)
    if not is_allowed():
        yield None
        return
    command = (*_OWN, "sh", "-c", _KEEP, "sh", str(megabytes), str(folder))
    keeper = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with keeper:
        assert keeper.stdin is not None  # Both were asked for.
        assert keeper.stdout is not None
        try:
            keeper.stdout.readline()
            yield _volume(folder, keeper.pid)
        finally:
            keeper.stdin.close()


def _volume(folder: Path, keeper: int) -> Volume:
    enter = ("nsenter", f"--target={keeper}", "--user", "--mount", "--preserve-credentials")
    outside = Path(f"/proc/{keeper}/root") / folder.resolve().relative_to("/")
    return Volume(folder=folder, outside=outside, prefix=(*enter, *NAMESPACE))
