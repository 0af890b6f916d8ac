"""What we promise of every 30 days, and how fast a promise may burn before somebody is told."""

from dataclasses import dataclass
from typing import Any

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
RUNBOOK = "docs/runbooks/alerts.md"


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """A share of good events; `bad` and `all` are rates over `$window`, by context."""

    name: str
    target: float
    bad: str
    all: str
    says: str

    @property
    def record(self) -> str:
        """Name the recorded share of bad events, without its window."""
        return f"comanda:{self.name}:bad_ratio"


@dataclass(frozen=True, kw_only=True, slots=True)
class Burn:
    """How many times too fast, over which two windows, and who is told."""

    factor: float
    long: str
    short: str
    severity: str
    speed: str


# Two percent of the month's budget in an hour, five in six hours, ten in one and in three days.
BURNS = (
    Burn(factor=14.4, long="1h", short="5m", severity="page", speed="Fast"),
    Burn(factor=6, long="6h", short="30m", severity="page", speed="Steadily"),
    Burn(factor=3, long="1d", short="2h", severity="ticket", speed="Slowly"),
    Burn(factor=1, long="3d", short="6h", severity="ticket", speed="Quietly"),
)

_MESSAGES = "sum by (namespace, context) (rate(comanda_messages_handled_total{SELECTOR}[$window]))"
_REQUESTS = (
    "sum by (namespace, context) (rate(comanda_http_request_seconds_count{SELECTOR}[$window]))"
)

PROMISES = (
    Promise(
        name="api_availability",
        target=0.999,
        bad=_REQUESTS.replace("SELECTOR", 'status=~"5.."'),
        all=_REQUESTS.replace("{SELECTOR}", ""),
        says="requests are answered, and not with 5xx",
    ),
    Promise(
        name="message_handling",
        target=0.999,
        bad=_MESSAGES.replace("SELECTOR", 'outcome=~"failed|invalid|kept"'),
        all=_MESSAGES.replace("{SELECTOR}", ""),
        says="messages are handled without failing or being refused",
    ),
)


def recorded(promise: Promise) -> list[dict[str, Any]]:
    """Give the rules that record a promise over all windows."""
    return [
        {
            "record": f"{promise.record}_{window}",
            "expr": f"{promise.bad} / {promise.all}".replace("$window", window),
        }
        for window in WINDOWS
    ]


def burning(promise: Promise) -> list[dict[str, Any]]:
    """Give the alerts of a promise."""
    return [_burn(promise, burn) for burn in BURNS]


def _burn(promise: Promise, burn: Burn) -> dict[str, Any]:
    title = "".join(word.capitalize() for word in promise.name.split("_"))
    bound = f"{burn.factor * (1 - promise.target):.4f}"
    expression = (
        f"{promise.record}_{burn.long} > {bound} and {promise.record}_{burn.short} > {bound}"
    )
    return {
        "alert": f"{title}Burns{burn.speed}",
        "expr": expression,
        "labels": {"severity": burn.severity},
        "annotations": {
            "summary": (
                f"{{{{ $labels.context }}}}: the promise that {promise.says} is spent"
                f" {burn.factor:g} times too fast"
            ),
            "runbook": f"{RUNBOOK}#{title.lower()}burns",
        },
    }
