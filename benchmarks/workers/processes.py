"""Processes of a measurement: start, add up what a tree has cost, stop. Linux: it reads /proc."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from local.supervisor.child import guarded

_TICK = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What a process and its descendants have used: CPU-seconds, and the sum of their peaks."""

    cpu_seconds: float
    peak_mb: float


def cost_of(pid: int) -> Cost:
    """Add up a tree of processes; those that ended count through whoever waited for them."""
    cpu = peak = 0.0
    for member in _tree(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            status = Path(f"/proc/{member}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # utime, stime, cutime and cstime are fields 14 to 17 of proc(5); the first two are cut off.
        cpu += sum(map(int, fields[11:15])) / _TICK
        peak += _kilobytes(status, "VmHWM:") / 1024
    return Cost(cpu_seconds=cpu, peak_mb=peak)


def resident_mb(pid: int) -> float:
    """Give the memory that one process holds now."""
    return _kilobytes(Path(f"/proc/{pid}/status").read_text(), "VmRSS:") / 1024


def open_files(pid: int) -> int:
    """Count the open files of one process; its connections are among them."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def busy_cores(seconds: float = 1.0) -> float:
    """Look how many cores this machine keeps busy, whoever does it, for so long."""
    before = _busy_seconds()
    time.sleep(seconds)
    return (_busy_seconds() - before) / seconds


def _busy_seconds() -> float:
    # proc(5): user, nice and system, then irq, softirq and steal; idle and iowait stand between.
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return sum(int(fields[n]) for n in (0, 1, 2, 5, 6, 7)) / _TICK


@contextmanager
def running(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    log: Path,
    by: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own; whatever is left of it is killed at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            guarded(tuple(command), python=sys.executable),
            env=dict(env),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process, by=by)


def stop(process: subprocess.Popen[bytes], *, by: signal.Signals, patience: float = 3.0) -> None:
    """Ask to end, then end the whole session."""
    if process.poll() is None:
        process.send_signal(by)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tree(pid: int) -> list[int]:
    found = [pid]
    for member in found:
        for tasks in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                found.extend(map(int, tasks.read_text().split()))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def _kilobytes(status: str, name: str) -> int:
    for line in status.splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0
