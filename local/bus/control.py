"""The control paths: make the bus misbehave, move its clock, read its journal.

`/_control/faults`, `/_control/clock`, `/_control/journal`, `/_control/messages`,
`/_control/queues`; `docs/bus.md` has an example of each.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from local.bus.http import Answer, Request
from local.bus.rules import InvalidRule, read_rule, show_rule
from local.bus.world import World

KIND = b"application/json"
MOST_STEPS = 10_000


class Refused(Exception):
    """The control request makes no sense; the text says why."""


class Control:
    """Answer one control request."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._doors: dict[tuple[str, str], Callable[[dict[str, str], Any], Any]] = {
            ("GET", "/health"): lambda _query, _told: {"status": "ready"},
            ("GET", "/_control/queues"): self._queues,
            ("GET", "/_control/faults"): self._show_faults,
            ("POST", "/_control/faults"): self._add_faults,
            ("DELETE", "/_control/faults"): self._clear_faults,
            ("GET", "/_control/clock"): self._show_clock,
            ("POST", "/_control/clock"): self._set_clock,
            ("GET", "/_control/journal"): self._journal,
            ("DELETE", "/_control/journal"): self._clear_journal,
            ("GET", "/_control/messages"): self._messages,
        }

    def __call__(self, request: Request) -> Answer:
        """Answer in JSON; 404 for an unknown path, 400 with the reason for a senseless request."""
        door = self._doors.get((request.method, request.path))
        if door is None:
            return Answer(404, KIND, b'{"error":"no such path"}')
        try:
            told = json.loads(request.body) if request.body else {}
            content = door(dict(parse_qsl(request.query)), told)
        except (InvalidRule, Refused, ValueError) as exc:
            return Answer(400, KIND, json.dumps({"error": str(exc)}).encode())
        return Answer(200, KIND, json.dumps(content).encode())

    def _queues(self, query: dict[str, str], told: Any) -> Any:  # noqa: ARG002
        return {name: queue.counts() for name, queue in self._world.queues.items()}

    def _show_faults(self, query: dict[str, str], told: Any) -> Any:  # noqa: ARG002
        return {"rules": [show_rule(rule) for rule in self._world.faults.rules]}

    def _add_faults(self, query: dict[str, str], told: Any) -> Any:  # noqa: ARG002
        rules = [read_rule(one) for one in (told if isinstance(told, list) else [told])]
        return {"numbers": [self._world.faults.add(rule) for rule in rules]}

    def _clear_faults(self, query: dict[str, str], told: Any) -> Any:  # noqa: ARG002
        if "number" not in query:
            self._world.faults.clear()
        elif not self._world.faults.remove(int(query["number"])):
            raise Refused(f"there is no rule {query['number']}")
        return {}

    def _show_clock(self, query: dict[str, str], told: Any) -> Any:  # noqa: ARG002
        clock = self._world.clock
        return {"now": clock(), "offset": clock.offset, "is_frozen": clock.is_frozen}

    def _set_clock(self, query: dict[str, str], told: Any) -> Any:
        if not isinstance(told, dict) or set(told) - {"advance", "freeze"}:
            raise Refused("say advance, in seconds, or freeze, true or false")
        if "freeze" in told:
            (self._world.clock.freeze if told["freeze"] else self._world.clock.thaw)()
        seconds = told.get("advance", 0)
        if not isinstance(seconds, int | float) or seconds < 0:
            raise Refused("time runs forward only")
        self._world.advance(seconds)
        return self._show_clock(query, told)

    def _journal(self, query: dict[str, str], told: Any) -> Any:  # noqa: ARG002
        after, limit = int(query.get("after", 0)), int(query.get("limit", 1000))
        steps = self._world.journal.steps(
            queue=query.get("queue", ""),
            message_id=query.get("id", ""),
            kind=query.get("kind", ""),
            after=after,
        )
        # Asked to go on from a step, it gives the next ones; otherwise the last ones.
        found = list(steps)
        found = found[:limit] if after else found[-min(limit, MOST_STEPS) :]
        return {"steps": [step._asdict() for step in found]}

    def _clear_journal(self, query: dict[str, str], told: Any) -> Any:  # noqa: ARG002
        self._world.journal.clear()
        return {}

    def _messages(self, query: dict[str, str], told: Any) -> Any:  # noqa: ARG002
        journal = self._world.journal
        return {
            "messages": journal.lives(queue=query.get("queue", ""), message_id=query.get("id", ""))
        }
