"""Become the command given, tied to the parent: when the parent dies, so does the command.

Run as a script by path, so that it imports nothing of ours and is gone in milliseconds.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def guarded(command: tuple[str, ...], *, python: str = sys.executable) -> tuple[str, ...]:
    """Wrap a command, so that the kernel kills it with its parent (Linux; elsewhere the watchdog).

    A user namespace clears the tie, so this goes after `unshare`, never before it.
    """
    return (python, "-I", "-S", __file__, str(os.getpid()), *command)


def main(arguments: list[str]) -> None:
    """Tie this process to its parent, then become the command."""
    parent, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent is gone already")
    os.execvp(command[0], command)  # noqa: S606  # Becoming the command is the purpose.


if __name__ == "__main__":
    main(sys.argv[1:])
