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
    {"conflict": 0.2},
    {"refuse": 0.1},
    {"lose": 0.1},
)
# On links between any two parts; `seconds` is how late each piece is.
NETWORK_FAULTS: tuple[dict[str, Any], ...] = (
    {"misdeed": "reset"},
    {"misdeed": "black hole"},
    {"misdeed": "forget"},
    {"misdeed": "delay", "late": 0.3},
    {"misdeed": "half close"},
    {"misdeed": "cut midway"},
)
POINT_FAULTS: tuple[dict[str, Any], ...] = (
    {"sent": "SIGKILL"},
    {"sent": "SIGSTOP"},
    {"sent": "SIGTERM"},
)
# Of payments, where the money is.
TABLES = ("charges", "inbox", "ledger", "outbox")
_AT_A_PROCESS = ("kill", "stop", "freeze")
_AT_A_TABLE = ("lock a table", "slow queries")
_RULES = {
    "bus": BUS_FAULTS,
    "bank": BANK_FAULTS,
    "dynamodb": STORE_FAULTS,
    "network": NETWORK_FAULTS,
    "at a point": POINT_FAULTS,
}
_WEIGHTS = {
    "kill": 6,
    "stop": 3,
    "freeze": 3,
    "at a point": 10,
    "network": 8,
    "cut connections": 2,
    "lock a table": 1,
    "slow queries": 1,
    "disk full": 1,
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
        named = ("fault", "kind", "misdeed", "sent")
        told = [self.words[name] for name in named if name in self.words]
        which = next(iter(told or self.words), self.target if self.kind in _AT_A_TABLE else "")
        if self.words.get("when") == "after":
            which = f"{which} after"
        return f"{self.kind}: {which}" if which else self.kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """What faults can strike, by name; what is not there is not struck."""

    processes: Sequence[str]
    links: Sequence[str] = ()
    doomed: Sequence[str] = ()
    has_volume: bool = False

    def of(self, kind: str) -> list[str]:
        """Name what a kind of fault can strike, in an order that does not depend on theirs."""
        found: dict[str, Sequence[str]] = {
            "network": self.links,
            "at a point": self.doomed,
            "disk full": ("postgres",) if self.has_volume else (),
            "clock": ("bus", "bank"),
            **dict.fromkeys(_AT_A_PROCESS, self.processes),
            **dict.fromkeys(_AT_A_TABLE, TABLES),
        }
        return sorted(found.get(kind, (kind,)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """How much goes wrong: seconds in all, faults a second, and which kinds (none named: all)."""

    seconds: float
    pace: float = 1.0
    kinds: Sequence[str] = ()


KINDS = tuple(_WEIGHTS)


def draw_plan(seed: int, *, scope: Scope, targets: Targets) -> list[Fault]:
    """Draw a schedule; the same seed gives the same one."""
    dice = random.Random(seed)
    able = [kind for kind in scope.kinds or KINDS if targets.of(kind)]
    if not able:
        return []
    seconds, pace = scope.seconds, scope.pace
    weights = {kind: _WEIGHTS[kind] for kind in able}
    plan = []
    at = dice.expovariate(pace)
    while at < seconds:
        kind = dice.choices(list(weights), list(weights.values()))[0]
        plan.append(_draw(dice, kind, at=at, targets=targets))
        at += dice.expovariate(pace)
    return plan


def _draw(dice: random.Random, kind: str, *, at: float, targets: Targets) -> Fault:
    target = dice.choice(targets.of(kind))
    words = dict(dice.choice(_RULES[kind])) if kind in _RULES else {}
    seconds = dice.uniform(1, _LONGEST_FREEZE)
    if kind == "clock":
        # The bus's makes what is in hand visible again; the bank's lets every code expire.
        words = {"advance": 70 if target == "bus" else 1900}
    return Fault(at=at, kind=kind, target=target, seconds=seconds, words=words)
