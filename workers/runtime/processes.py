"""One worker process per core, supervised: `--processes N`, or `COMANDA_PROCESSES`.

The parent runs this program again for each child, starts those that die again with growing pauses,
kills those whose event loop stalls, passes SIGTERM and SIGINT on, a second one too, and leaves with
0 when all its children left well. It touches neither queue nor store.

Its health port speaks for all: live while its own loop turns (stalled children are its own affair),
ready when every child is, and the metrics of all (`workers.runtime.merged_metrics`).
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import generate_latest

from comanda.settings import read
from comanda.telemetry import configure_logging
from workers.runtime.child import Child
from workers.runtime.health import LOOPBACK, Beat, health_pages
from workers.runtime.health_server import serve_pages
from workers.runtime.merged_metrics import merged
from workers.runtime.tie import is_child

log = logging.getLogger(__name__)
# Longer than a consumer's grace period with all that comes after it, or it would be cut short.
_PATIENCE = timedelta(seconds=35)
_ASK_SECONDS = 7.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ParentSettings:
    """Where the parent answers health checks."""

    health_port: int = 0
    health_host: str = LOOPBACK


def wanted_processes(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Read how many processes are asked for: a number from 1, or `auto` for one per core.

    A child is one process, whatever its parent was asked for.
    """
    parser = argparse.ArgumentParser(description="A worker of Comanda.")
    default = environ.get("COMANDA_PROCESSES") or "1"
    parser.add_argument("--processes", type=_count, default=default, help="a number, or auto")
    chosen: int = parser.parse_args(arguments).processes
    return 1 if is_child(environ) else chosen


def supervise(count: int) -> int:
    """Run `count` children of this very program until told to stop; give the exit status."""
    configure_logging("supervisor")
    return asyncio.run(_supervise(count, command=(sys.executable, *sys.orig_argv[1:])))


async def _supervise(count: int, *, command: Sequence[str]) -> int:
    crew = [Child(str(number), command, patience=_PATIENCE) for number in range(count)]
    loop = asyncio.get_running_loop()
    beat = Beat()
    beating = asyncio.create_task(beat.run(), name="beat")

    def stop() -> None:
        for child in crew:
            child.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    settings = read(ParentSettings)
    pages = health_pages(
        is_live=lambda: beat.is_regular, fault=lambda: _fault(crew), metrics=lambda: _metrics(crew)
    )
    async with serve_pages(pages, host=settings.health_host, port=settings.health_port):
        log.info("supervising", extra={"processes": count})
        statuses = await asyncio.gather(*(child.run() for child in crew))
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    log.info("all processes left", extra={"statuses": statuses})
    return 0 if not any(statuses) else 1


def _fault(crew: Sequence[Child]) -> str:
    answers = _ask_all(crew, "/health/ready")
    missing = [child.name for child in crew if child.name not in answers]
    return f"not ready: process {', '.join(missing)}" if missing else ""


def _metrics(crew: Sequence[Child]) -> bytes:
    pages = {"parent": generate_latest().decode(), **_ask_all(crew, "/metrics")}
    return merged(pages) + _restarts(crew)


def _restarts(crew: Sequence[Child]) -> bytes:
    name = "comanda_process_starts_total"
    lines = [f"# HELP {name} How often a worker process was started.", f"# TYPE {name} counter"]
    lines += [f'{name}{{process="{child.name}"}} {child.starts}' for child in crew]
    return ("\n".join(lines) + "\n").encode()


def _ask_all(crew: Sequence[Child], path: str) -> dict[str, str]:
    """Give what those children answer that answer well."""
    with ThreadPoolExecutor(len(crew)) as pool:
        answers = pool.map(lambda child: _ask(child.port, path), crew)
        named = zip([child.name for child in crew], answers, strict=True)
        return {name: answer for name, answer in named if answer is not None}


def _ask(port: int | None, path: str) -> str | None:
    if port is None:
        return None
    try:
        url = f"http://{LOOPBACK}:{port}{path}"
        with urllib.request.urlopen(url, timeout=_ASK_SECONDS) as answer:
            text: str = answer.read().decode()
            return text
    except OSError:  # Refused, too slow, or not with 200.
        return None


def _count(text: str) -> int:
    if text == "auto":
        return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    count = int(text)
    if count < 1:
        raise ValueError("at least one process is needed")
    return count
