"""Who is measured, and how each is started."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.workers.environments import NODE_FOLDER, PEERS, PEERS_PYTHON

SIMPLE = frozenset({"trivial", "io"})
CEILING, OURS = "raw ceiling", "comanda"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A consumer: its command, the bodies that it reads and the handlers that it has."""

    name: str
    command: tuple[str, ...]
    body: str = "comanda"
    handlers: frozenset[str] = SIMPLE
    environment: dict[str, str] = field(default_factory=dict)
    is_quick: bool = False


def _ours(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"benchmarks.workers.{module}")


def _script(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(PEERS_PYTHON), str(PEERS / name), *arguments)


def _module(*arguments: str) -> tuple[str, ...]:
    return (str(PEERS_PYTHON), "-m", *arguments)


_ON_PATH = {"PYTHONPATH": str(PEERS)}
_NODE = str(Path(NODE_FOLDER) / "consumer.mjs")
_WITH_POSTGRES = SIMPLE | {"postgres"}

SUBJECTS = (
    Subject(
        name=OURS,
        command=_ours("ours"),
        handlers=SIMPLE | {"postgres", "dynamodb"},
        is_quick=True,
    ),
    Subject(
        name="comanda, a commit for each",
        command=_ours("ours"),
        handlers=frozenset({"postgres"}),
        environment={"BENCH_ALONE": "1"},
    ),
    Subject(name=CEILING, command=_ours("ceiling"), is_quick=True),
    Subject(
        name="aiobotocore, 16 pollers",
        command=_script("aio.py"),
        handlers=_WITH_POSTGRES,
        is_quick=True,
    ),
    Subject(name="sqs-consumer batch x10", command=("node", _NODE, "batch"), is_quick=True),
    Subject(name="sqs-consumer single x10", command=("node", _NODE, "single")),
    Subject(
        name="boto3, 32 threads, batched",
        command=_script("threads.py", "32"),
        handlers=_WITH_POSTGRES,
    ),
    Subject(name="Powertools batch, 8 threads", command=_script("powertools.py")),
    Subject(
        name="taskiq-aio-sqs",
        command=_module(
            *("taskiq", "worker", "taskiq_app:broker", "--workers", "1"),
            *("--max-async-tasks", "400", "--log-level", "WARNING"),
        ),
        body="taskiq",
        environment=_ON_PATH,
    ),
    Subject(
        name="dramatiq-sqs, 8 threads",
        command=_module("dramatiq", "dramatiq_app", "--processes", "1", "--threads", "8"),
        body="dramatiq",
        environment=_ON_PATH,
    ),
    Subject(
        name="Celery, 32 threads",
        command=_module(
            *("celery", "-A", "celery_app", "worker", "-P", "threads", "-c", "32"),
            *("-l", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
        ),
        body="celery",
        environment=_ON_PATH,
    ),
    Subject(name="naive boto3, batched deletes", command=_script("naive.py", "batch")),
    Subject(
        name="naive boto3",
        command=_script("naive.py"),
        handlers=_WITH_POSTGRES,
        is_quick=True,
    ),
)
