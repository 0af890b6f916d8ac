"""What can go wrong on demand, and when: faults by rate, by message, by occurrence, by script.

A rule chooses among *subjects*: requests, entries of a batch, messages sent, receives or messages
handed out, according to where its faults strike. It strikes all that it matches unless `rate`,
`nth`, `times` or `script` say otherwise. Where several rules match, the oldest that strikes wins.
"""

import random
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from itertools import count
from typing import Any


class Point(Enum):
    """Where on the road of a message a fault strikes."""

    REQUEST = "request"
    ENTRY = "entry"
    SEND = "send"
    RECEIVE = "receive"
    HAND_OUT = "hand_out"


KINDS = {
    "throttle": Point.REQUEST,
    "error": Point.REQUEST,
    "slow": Point.REQUEST,
    "reset": Point.REQUEST,
    "fail": Point.ENTRY,
    "expire_receipt": Point.ENTRY,
    "pretend": Point.ENTRY,
    "duplicate": Point.SEND,
    "delay": Point.SEND,
    "reorder": Point.RECEIVE,
    "empty": Point.RECEIVE,
    "reveal": Point.HAND_OUT,
}
_WITH_RECEIPTS = frozenset(
    {
        "DeleteMessage",
        "DeleteMessageBatch",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One misbehaviour; what its kind does not use is ignored. `seconds` is at least 0."""

    kind: str
    code: str = ""
    status: int = 0
    message: str = ""
    seconds: float = 0.0
    copies: int = 1
    span: int = 50
    is_after: bool = False
    is_sender_fault: bool = False

    @property
    def point(self) -> Point:
        """Tell where it strikes."""
        return KINDS[self.kind]


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What a rule looks at; only what is known at that point is filled in."""

    action: str = ""
    queue: str = ""
    message_id: str = ""
    body: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """Which subjects a rule concerns; what is empty concerns all. `queue` may hold `*`."""

    actions: frozenset[str] = frozenset()
    queue: str = ""
    message_id: str = ""
    body: str = ""
    attributes: tuple[tuple[str, str], ...] = ()

    def concerns(self, subject: Subject) -> bool:
        """Tell whether everything that is asked for agrees."""
        return (
            (not self.actions or subject.action in self.actions)
            and (not self.queue or fnmatchcase(subject.queue, self.queue))
            and self.message_id in ("", subject.message_id)
            and self.body in subject.body
            and all(
                subject.attributes.get(name, {}).get("StringValue") == value
                for name, value in self.attributes
            )
        )


@dataclass(kw_only=True, slots=True)
class Rule:
    """A match, what to do, and how often; `seen` and `struck` count the subjects."""

    match: Match
    steps: tuple[Fault | None, ...]
    is_script: bool = False
    rate: float | None = None
    nth: frozenset[int] = frozenset()
    times: int | None = None
    seed: int = 0
    number: int = 0
    seen: int = 0
    struck: int = 0
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    @property
    def point(self) -> Point:
        """Tell where it strikes; all steps of a rule strike at the same point."""
        return next(step.point for step in self.steps if step is not None)

    def strike(self, subject: Subject) -> Fault | None:
        """Decide about one subject."""
        if not self.match.concerns(subject):
            return None
        self.seen += 1
        fault = self._choose()
        self.struck += fault is not None
        return fault

    def _choose(self) -> Fault | None:
        if self.times is not None and self.struck >= self.times:
            return None
        if self.is_script:
            return self.steps[self.seen - 1] if self.seen <= len(self.steps) else None
        if self.nth and self.seen not in self.nth:
            return None
        if self.rate is not None and self.dice.random() >= self.rate:
            return None
        return self.steps[0]


class Faults:
    """The rules in force, by the point where they strike."""

    def __init__(self) -> None:
        self._rules: dict[int, Rule] = {}
        self._numbers = count(1)
        self.dice = random.Random(0)
        self.at: dict[Point, list[Rule]] = {point: [] for point in Point}
        # Read on the road of every message, so these are plain attributes.
        self.is_armed = False

    @property
    def rules(self) -> list[Rule]:
        """Give all rules, oldest first."""
        return list(self._rules.values())

    def add(self, rule: Rule) -> int:
        """Put a rule in force and give its number."""
        rule.number = next(self._numbers)
        self._rules[rule.number] = rule
        self._sort()
        return rule.number

    def remove(self, number: int) -> bool:
        """Take a rule out of force; tell whether it was there."""
        is_known = self._rules.pop(number, None) is not None
        self._sort()
        return is_known

    def clear(self) -> None:
        """Behave again."""
        self._rules.clear()
        self.dice.seed(0)
        self._sort()

    def strike(self, point: Point, subject: Subject) -> Fault | None:
        """Decide what befalls a subject at a point."""
        for rule in self.at[point]:
            fault = rule.strike(subject)
            if fault is not None:
                return fault
        return None

    def _sort(self) -> None:
        self.at = {p: [r for r in self._rules.values() if r.point is p] for p in Point}
        self.is_armed = bool(self._rules)


def names_receipts(match: Match) -> bool:
    """Tell whether the rule names actions, and only those that come with a receipt."""
    return bool(match.actions) and match.actions <= _WITH_RECEIPTS
