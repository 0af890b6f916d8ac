"""Feed hostile texts to every reader: `python -m tests.security.long_run` does so by the million.

An input is a function of seed, reader and number. Nothing but what a reader declares may leave it,
nothing wrong may be read, and no input may take long.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.edge.fuzz import input_of
from benchmarks.edge.oracle import Subject
from tests.security.provider_readers import PROVIDER_READERS
from tests.security.readers import READERS, Reader
from tests.security.token_reader import token_reader

_LONGEST_SECONDS = 5
_MOST_HOLES = 50
WEBHOOK = "webhook's request"


class TooSlow(Exception):
    """An input took longer than any may."""


@dataclass(kw_only=True)
class Fed:
    """What came of feeding: inputs and holes by reader, and how many were read as good."""

    inputs: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    holes: dict[str, str] = field(default_factory=dict)


def readers() -> tuple[Reader, ...]:
    """List every reader but the webhook's, whose inputs are made elsewhere."""
    return (*READERS, *PROVIDER_READERS, token_reader())


def feed(reader: Reader, fed: Fed, *, seed: int, numbers: range) -> None:
    """Give a reader the inputs of these numbers and note what came of it."""
    mutator, dice = reader.mutator(), random.Random()  # It must repeat itself.
    accepted = 0
    for number in numbers:
        dice.seed(seed * 1_000_003 + number)
        text = mutator.text(dice)
        try:
            with _bounded():
                reader.read(text)
            accepted += 1
        except reader.refuses:
            continue
        except Exception as exc:  # noqa: BLE001  # Whatever else leaves a reader is what is looked for.
            _note(fed, reader.name, exc, seed=seed, number=number)
    fed.inputs[reader.name] = fed.inputs.get(reader.name, 0) + len(numbers)
    fed.accepted[reader.name] = fed.accepted.get(reader.name, 0) + accepted


def feed_webhook(subject: Subject, fed: Fed, *, seed: int, numbers: range) -> None:
    """Let the receiver of notifications judge the requests of these numbers."""
    accepted = 0
    for number in numbers:
        try:
            with _bounded():
                accepted += subject.check(*input_of(seed, number)).startswith("200")
        except Exception as exc:  # noqa: BLE001  # As above.
            _note(fed, WEBHOOK, exc, seed=seed, number=number)
    fed.inputs[WEBHOOK] = fed.inputs.get(WEBHOOK, 0) + len(numbers)
    fed.accepted[WEBHOOK] = fed.accepted.get(WEBHOOK, 0) + accepted


def _note(fed: Fed, name: str, exc: Exception, *, seed: int, number: int) -> None:
    if len(fed.holes) < _MOST_HOLES:
        place = exc.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        line = f"{place.tb_frame.f_code.co_name}:{place.tb_lineno}" if place else ""
        hole = f"{name}: {type(exc).__name__} at {line}"
        fed.holes.setdefault(hole, f"{str(exc)[:200]!r}, seed {seed}, input {number}")


@contextmanager
def _bounded() -> Iterator[None]:
    before = time.process_time()
    yield
    if time.process_time() - before > _LONGEST_SECONDS:
        raise TooSlow
