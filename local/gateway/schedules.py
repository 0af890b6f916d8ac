"""Ring the schedules of a Chalice app, as EventBridge does on AWS: at once, then by their rate.

`python -m local.gateway.schedules auth_lambda` does nothing else, for whoever wants a process that
is a scheduled function alone.
"""

import logging
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from comanda.clock import utc_now
from comanda.telemetry import configure_logging
from local.gateway.adapter import LambdaContext, NotPlayedHere
from local.gateway.loading import load_app

log = logging.getLogger(__name__)
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
Wait = Callable[[float], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bell:
    """A function that is called every so often."""

    name: str
    every: timedelta
    function: Callable[[dict[str, Any], LambdaContext], object]


def bells_of(app: Any) -> tuple[Bell, ...]:
    """Read the schedules of an app; raise `NotPlayedHere` for one that is no rate."""
    return tuple(
        Bell(
            name=source.name,
            every=_rate(str(source.schedule_expression)),
            function=app.handler_map[source.name],
        )
        for source in app.event_sources
        if hasattr(source, "schedule_expression")
    )


def start_bells(app: Any) -> None:
    """Ring each bell of an app in a thread of its own, for as long as the process lives."""
    for bell in bells_of(app):
        end = threading.Event()
        threading.Thread(target=ring, args=(bell, end.wait), name=bell.name, daemon=True).start()


def ring(bell: Bell, wait: Wait) -> None:
    """Call the function at once and after each pause, until `wait` says that this is the end."""
    while True:
        try:
            bell.function(_event(bell.name), LambdaContext(bell.name, str(uuid4())))
        except Exception:  # Whatever a function raises is a failed invocation, as in Lambda.
            log.exception("the function failed", extra={"function": bell.name})
        if wait(bell.every.total_seconds()):
            return


def _rate(expression: str) -> timedelta:
    found = _RATE.fullmatch(expression)
    if found is None:
        raise NotPlayedHere(f"a schedule by {expression}")
    return timedelta(**{f"{found[2]}s": int(found[1])})


def _event(name: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": utc_now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "sa-east-1",
        "resources": [f"arn:aws:events:sa-east-1:000000000000:rule/{name}-event"],
        "detail": {},
    }


def main() -> None:
    """Ring the schedules of the app that is named, until killed."""
    name = sys.argv[1]
    configure_logging(name)
    start_bells(load_app(name))
    threading.Event().wait()


if __name__ == "__main__":
    main()
