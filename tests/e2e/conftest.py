"""The whole laptop, once per module, started as `make run` starts it."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from local.supervisor import Options, System, running_system

# A machine with Python alone has no browser; `tests/conftest.py` says what is left out there.
collect_ignore_glob = [] if shutil.which("chromium") else ["test_screens_*"]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Run the laptop beside the tests, in a thread of its own; each module has its own books.

    Tests come and go with event loops of their own; the supervisor has to read logs and restart
    processes all the while.
    """
    root = tmp_path_factory.mktemp("laptop")
    started: Future[System] = Future()
    finish = threading.Event()
    thread = threading.Thread(target=_run, args=(root, started, finish), name="supervisor")
    thread.start()
    try:
        yield started.result(timeout=90)
    finally:
        finish.set()
        thread.join(timeout=60)


def _run(root: Path, started: "Future[System]", finish: threading.Event) -> None:
    async def live() -> None:
        async with running_system(Options(root=root)) as system:
            started.set_result(system)
            await asyncio.to_thread(finish.wait)

    try:
        asyncio.run(live())
    except BaseException as exc:
        if started.done():
            raise
        started.set_exception(exc)
