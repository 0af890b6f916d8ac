"""What happened to every message: a bounded trail of steps, and each message's life told by it."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

LENGTH = 50_000


class Step(NamedTuple):
    """One thing that happened; `detail` is what the kind calls for, or 0."""

    number: int
    at: float
    kind: str
    queue: str
    message_id: str
    detail: Any


class Journal:
    """Keep the last steps; the oldest are forgotten first. Bodies are never kept."""

    def __init__(self, *, clock: Callable[[], float], length: int = LENGTH) -> None:
        self._clock = clock
        self._steps: deque[Step] = deque(maxlen=length)
        self._number = 0

    def add(self, kind: str, queue: str, message_id: str, detail: Any = 0) -> None:
        """Note a step; this is on the road of every message."""
        self._number += 1
        self._steps.append(Step(self._number, self._clock(), kind, queue, message_id, detail))

    def clear(self) -> None:
        """Forget all steps; the numbers go on."""
        self._steps.clear()

    def steps(
        self, *, queue: str = "", message_id: str = "", kind: str = "", after: int = 0
    ) -> Iterator[Step]:
        """Give the steps that agree with all that is asked for, oldest first."""
        for step in self._steps:
            if (
                step.number > after
                and queue in ("", step.queue)
                and message_id in ("", step.message_id)
                and kind in ("", step.kind)
            ):
                yield step

    def lives(self, *, queue: str = "", message_id: str = "") -> list[dict[str, Any]]:
        """Tell each message's life in each queue; what was forgotten is not counted."""
        lives: dict[tuple[str, str], dict[str, Any]] = {}
        for step in self.steps(queue=queue, message_id=message_id):
            if step.message_id:
                life = lives.setdefault((step.queue, step.message_id), _new_life(step))
                _tell(life, step)
        return list(lives.values())


def _new_life(step: Step) -> dict[str, Any]:
    return {
        "id": step.message_id,
        "queue": step.queue,
        "sent": 0,
        "received": 0,
        "hidden": 0,
        "deleted": 0,
        "moved_to": None,
        "faults": [],
        "first_at": step.at,
        "last_at": step.at,
    }


def _tell(life: dict[str, Any], step: Step) -> None:
    life["last_at"] = step.at
    if step.kind == "moved":
        life["moved_to"] = step.detail
    elif step.kind == "fault":
        life["faults"].append(step.detail)
    elif step.kind in life:
        life[step.kind] += 1
