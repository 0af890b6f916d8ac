"""Run so many of our consumers side by side: `python -m benchmarks.growth.crew COUNT`.

What a pod's supervisor does with `--processes`, without its health pages: each is a process of its
own on the same queue, and all leave at SIGTERM.
"""

import signal
import subprocess
import sys

from local.supervisor.child import guarded

CONSUMER = (sys.executable, "-m", "benchmarks.workers.ours")


def main(count: int) -> int:
    """Start, wait, pass SIGTERM on; give 1 when one left badly."""
    crew = [subprocess.Popen(guarded(CONSUMER, python=sys.executable)) for _ in range(count)]

    def stop(*_: object) -> None:
        for process in crew:
            process.terminate()

    signal.signal(signal.SIGTERM, stop)
    return int(any(process.wait() for process in crew))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
