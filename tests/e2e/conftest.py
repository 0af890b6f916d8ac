"""The whole laptop, once per module, started as `make run` starts it."""

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from local.iam.report import keep, seen_by
from local.supervisor import Options, System, running_system

# A machine with Python alone has no browser; `tests/conftest.py` says what is left out there.
collect_ignore_glob = [] if shutil.which("chromium") else ["test_screens_*"]


@pytest.fixture(scope="module")
def is_guarded() -> bool:
    """Tell whether every program is held to its IAM policy: where a module says so, or all at once.

    A module says so with a fixture of this name. `COMANDA_IAM` is set by `python -m local.iam`.
    """
    return "COMANDA_IAM" in os.environ


@pytest.fixture(scope="module")
def has_traces() -> bool:
    """Tell whether a collector keeps spans: where a module says so with a fixture of this name."""
    return False


@pytest.fixture(scope="module")
def is_experiment() -> bool:
    """Tell whether rights are taken away on purpose, so that somebody will be denied something."""
    return False


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    is_guarded: bool,
    is_experiment: bool,
    has_traces: bool,
) -> Iterator[System]:
    """Run the laptop beside the tests, in a thread of its own; each module has its own books.

    Tests come and go with event loops of their own; the supervisor has to read logs and restart
    processes all the while.
    """
    root = tmp_path_factory.mktemp("laptop")
    started: Future[System] = Future()
    finish = threading.Event()
    options = Options(root=root, is_guarded=is_guarded, has_traces=has_traces)
    thread = threading.Thread(target=_run, args=(options, started, finish), name="supervisor")
    thread.start()
    try:
        running = started.result(timeout=90)
        yield running
        if is_guarded:
            seen = seen_by(running)
            keep(seen)
            assert is_experiment or seen.denied == ()
    finally:
        finish.set()
        thread.join(timeout=60)


def _run(options: Options, started: "Future[System]", finish: threading.Event) -> None:
    async def live() -> None:
        async with running_system(options) as system:
            started.set_result(system)
            await asyncio.to_thread(finish.wait)

    try:
        asyncio.run(live())
    except BaseException as exc:
        if started.done():
            raise
        started.set_exception(exc)
