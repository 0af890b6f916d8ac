"""Sample running processes with py-spy, and tell their time by whose code was running.

A room is a distribution (`psycopg`), a module of the standard library or of Python itself
(`python`), or a package of ours (`workers.payments`).
"""

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_RATE = 100
_WHERE = re.compile(r"\((?P<path>[^()]*?)(?::\d+)?\)$")
OURS = ("auth_lambda", "comanda", "console", "local", "webhooks_lambda", "workers")


class NoProfiler(RuntimeError):
    """py-spy could not look into a process."""


@contextmanager
def sampled(pids: Mapping[str, int], *, folder: Path) -> Iterator[None]:
    """Sample these processes while the block runs: a file `NAME.raw` for each, when it ends.

    Raises `NoProfiler` where the kernel lets nobody look (ptrace is for root, or for parents).
    """
    spy = str(Path(sys.executable).with_name("py-spy"))
    # Only who holds the GIL is at work; threads that wait would count as busy.
    options = ("record", "--gil", "--rate", str(_RATE), "--format", "raw", "--duration", "3600")
    spies = {
        name: subprocess.Popen(
            (spy, *options, "--output", str(folder / f"{name}.raw"), "--pid", str(pid)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, pid in pids.items()
    }
    try:
        yield
    finally:
        for one in spies.values():
            one.send_signal(signal.SIGINT)
        said = {name: one.communicate(timeout=60)[1] for name, one in spies.items()}
    for name in spies:
        if not (folder / f"{name}.raw").exists():
            raise NoProfiler(f"{name}: {said[name].strip()[-300:]}")


def rooms_of(lines: Iterable[str]) -> dict[str, float]:
    """Give the share (0 to 1) of each room in stacks as py-spy writes them, greatest first."""
    counted: Counter[str] = Counter()
    for line in lines:
        stack, _, times = line.rpartition(" ")
        counted[room_of(stack.rpartition(";")[2])] += int(times)
    whole = counted.total()
    return {room: times / whole for room, times in counted.most_common()} if whole else {}


def room_of(frame: str) -> str:
    """Tell whose code a frame is, like `AsyncCursor.execute (psycopg/cursor_async.py:113)`."""
    found = _WHERE.search(frame)
    parts = Path(found["path"] if found else frame).parts
    if "site-packages" in parts:
        parts = parts[parts.index("site-packages") + 1 :]
    # The last one: the folder of a checkout may be named like a package in it.
    ours = [first for first, part in enumerate(parts) if part in OURS]
    if ours:
        return ".".join(parts[ours[-1] : ours[-1] + 2]).removesuffix(".py")
    if len(parts) < 2 or parts[0] in sys.stdlib_module_names or parts[0].startswith("<"):
        return "python"
    return parts[0]
