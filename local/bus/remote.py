"""Make a running bus misbehave, from a test, a benchmark or a terminal."""

import json
import urllib.request
from typing import Any
from urllib.parse import urlencode


class BusControl:
    """The control paths of the bus at `url`; the words are those of `docs/bus.md`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def misbehave(self, *, fault: str = "", **words: Any) -> int:
        """Put a rule in force and give its number."""
        told = {**({"fault": fault} if fault else {}), **words}
        return int(self._ask("POST", "faults", told=told)["numbers"][0])

    def rule(self, number: int) -> dict[str, Any]:
        """Tell what a rule has done so far."""
        rules = {rule["number"]: rule for rule in self._ask("GET", "faults")["rules"]}
        return dict(rules[number])

    def behave(self, number: int | None = None) -> None:
        """Take one rule, or all, out of force."""
        self._ask("DELETE", "faults", asked=None if number is None else {"number": number})

    def advance(self, seconds: float) -> None:
        """Move the clock of the bus forward."""
        self._ask("POST", "clock", told={"advance": seconds})

    def freeze(self, *, is_frozen: bool = True) -> None:
        """Let the clock of the bus stand still, or run again."""
        self._ask("POST", "clock", told={"freeze": is_frozen})

    def queues(self) -> dict[str, dict[str, int]]:
        """Count visible, in_flight and delayed messages of each queue."""
        return dict(self._ask("GET", "queues"))

    def journal(self, **asked: Any) -> list[dict[str, Any]]:
        """Give steps of messages: by queue, id, kind, after a number, at most `limit`."""
        return list(self._ask("GET", "journal", asked=asked)["steps"])

    def messages(self, **asked: str) -> list[dict[str, Any]]:
        """Give the lives of messages: by queue, id."""
        return list(self._ask("GET", "messages", asked=asked)["messages"])

    def _ask(self, method: str, path: str, *, told: Any = None, asked: Any = None) -> Any:
        query = f"?{urlencode(asked)}" if asked else ""
        body = json.dumps(told).encode() if told is not None else None
        url = f"{self._url}/_control/{path}{query}"
        request = urllib.request.Request(url, data=body, method=method)  # noqa: S310  # Our bus.
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - The address is our own bus.
            return json.load(answer)
