"""How much a consumer takes in hand, and how long it holds on to it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerLimits:
    """How much a consumer takes in hand, and how long it holds on to it.

    What fails is rejected at `most_receives`, what is put off at `most_retries`: that is the
    queue's `maxReceiveCount` (topology.json), and the queue would move it away without a word.
    Messages about one aggregate take turns, unless `takes_turns` is false. Whoever is in no hurry
    may `rest` after an answer that was not full: the next is fuller, and calls are what costs.
    """

    window: int = 512
    receivers: int = 16
    wait: timedelta = timedelta(seconds=20)
    visibility: timedelta = timedelta(seconds=30)
    longest_handling: timedelta = timedelta(minutes=5)
    most_receives: int = 5
    most_retries: int = 20
    grace: timedelta = timedelta(seconds=20)
    takes_turns: bool = True
    rest: timedelta = timedelta()
