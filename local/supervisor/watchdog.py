"""End every process group that is left when the supervisor is gone, however it went.

The kernel ends our own children with us (`child`), but not theirs, and not on every system. This
little process reads group ids from a pipe; when the pipe ends, so do the groups.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress


class Watchdog:
    """The supervisor's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def add(self, group: int) -> None:
        """Take a process group into care."""
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Let go of a group that has ended; its id may soon be another's."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """End the watch; what is still in care is killed."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        # Somebody may have killed the watchdog; then the kernel's tie alone has to do.
        with suppress(BrokenPipeError):
            if self._process.stdin is not None:
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


def main() -> None:
    """Read `+<group>` and `-<group>` lines; at the end of input kill what was not let go."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line.startswith("+") else groups.discard
        change(int(line[1:]))
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
