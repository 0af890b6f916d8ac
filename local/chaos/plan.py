"""What goes wrong, when, and for how long: drawn from a seed, so that a run can be had again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# The stand-ins die too: what they acknowledged has to be there when they are back.
_LONGEST_FREEZE = 6.0
_QUEUES = "comanda-*"

BUS_FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "duplicate", "queue": _QUEUES, "rate": 0.2},
    {"fault": "reorder", "queue": _QUEUES, "rate": 0.5},
    {"fault": "delay", "queue": _QUEUES, "rate": 0.2, "seconds": 2},
    {"fault": "throttle", "rate": 0.2},
    {"fault": "error", "rate": 0.2},
    {"fault": "error", "when": "after", "rate": 0.1},
    {"fault": "slow", "rate": 0.2, "seconds": 1},
    {"fault": "reset", "rate": 0.1},
    {"fault": "reset", "when": "after", "rate": 0.1},
    {"fault": "fail", "rate": 0.2},
    {"fault": "expire_receipt", "rate": 0.2},
    {"fault": "pretend", "action": "DeleteMessageBatch", "rate": 0.2},
    {"fault": "empty", "rate": 0.5},
    {"fault": "reveal", "queue": _QUEUES, "rate": 0.2},
)
BANK_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "slow", "rate": 0.3, "value": 2},
    {"kind": "error", "rate": 0.3},
    {"kind": "error_after", "rate": 0.3},
    {"kind": "html", "rate": 0.3},
    {"kind": "truncated", "rate": 0.2},
    {"kind": "drop_before", "rate": 0.3},
    {"kind": "drop_after", "rate": 0.3},
    {"kind": "rate_limited", "rate": 0.3, "value": "1"},
    {"kind": "stale_read", "rate": 0.3},
    {"kind": "async_creation", "rate": 0.3, "value": 1},
    {"kind": "webhook_first", "rate": 0.5},
    {"kind": "webhook_never", "rate": 0.3},
    {"kind": "webhook_late", "rate": 0.3, "value": 3},
    {"kind": "webhook_duplicated", "rate": 0.5, "value": 5},
    {"kind": "webhook_out_of_order", "rate": 0.3, "value": 3},
    {"kind": "webhook_wrong_secret", "rate": 0.3},
    {"kind": "webhook_payment_topic", "rate": 0.3},
    {"kind": "paid_twice", "rate": 0.2},
    {"kind": "late_settlement", "rate": 0.5},
    {"kind": "wrong_amount", "rate": 0.1},
    {"kind": "refund_contingency", "rate": 0.3, "value": 2},
    {"kind": "refund_async", "rate": 0.3, "value": 2},
)
STORE_FAULTS: tuple[dict[str, Any], ...] = (
    {"throttle": 0.2},
    {"refuse": 0.1},
    {"lose": 0.1},
)
_WEIGHTS = {
    "kill": 6,
    "stop": 3,
    "freeze": 3,
    "cut connections": 2,
    "lock a table": 1,
    "bus": 5,
    "bank": 6,
    "dynamodb": 2,
    "clock": 1,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault: `at` seconds after the start, for `seconds`, at `target`."""

    at: float
    kind: str
    target: str
    seconds: float
    words: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name the fault as the report counts it."""
        which = self.words.get("fault") or self.words.get("kind") or next(iter(self.words), "")
        if self.words.get("when") == "after":
            which = f"{which} after"
        return f"{self.kind}: {which}" if which else self.kind


def draw_plan(seed: int, *, seconds: float, processes: Sequence[str], pace: float) -> list[Fault]:
    """Draw a schedule of about `pace` faults a second; the same seed gives the same schedule."""
    dice = random.Random(seed)
    names = sorted(processes)
    kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    plan = []
    at = dice.expovariate(pace)
    while at < seconds:
        kind = dice.choices(kinds, weights)[0]
        plan.append(_draw(dice, kind, at=at, processes=names))
        at += dice.expovariate(pace)
    return plan


def _draw(dice: random.Random, kind: str, *, at: float, processes: Sequence[str]) -> Fault:
    rules = {"bus": BUS_FAULTS, "bank": BANK_FAULTS, "dynamodb": STORE_FAULTS}
    words = dict(dice.choice(rules[kind])) if kind in rules else {}
    target = dice.choice(processes) if kind in ("kill", "stop", "freeze") else kind
    seconds = dice.uniform(1, _LONGEST_FREEZE)
    if kind == "clock":
        # The bus's makes what is in hand visible again; the bank's lets every code expire.
        target = dice.choice(("bus", "bank"))
        words = {"advance": 70 if target == "bus" else 1900}
    return Fault(at=at, kind=kind, target=target, seconds=seconds, words=words)
