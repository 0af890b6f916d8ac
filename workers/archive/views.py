"""What the API of the archive answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from workers.archive.journey import States, Step
from workers.archive.model import Entry


class StatesView(BaseModel):
    """What order, charge and stock were; null is "nothing yet"."""

    order: str | None
    charge: str | None
    stock: str | None

    @classmethod
    def of(cls, states: States) -> "StatesView":
        """Show states."""
        return cls(order=states.order, charge=states.charge, stock=states.stock)


class EventView(BaseModel):
    """An archived event; `data` is what it said."""

    id: str
    type: str
    subject: str
    time: datetime
    correlation_id: str
    causation_id: str | None
    data: dict[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> "EventView":
        """Show an entry."""
        return cls(
            id=entry.event_id,
            type=entry.wire_type,
            subject=entry.subject,
            time=entry.at,
            correlation_id=entry.conversation,
            causation_id=entry.causation_id,
            data=entry.data,
        )


class StepView(BaseModel):
    """One event of a journey, what it changed, and the seconds since the one before."""

    event: EventView
    before: StatesView
    after: StatesView
    seconds_after_previous: float

    @classmethod
    def of(cls, step: Step) -> "StepView":
        """Show a step."""
        return cls(
            event=EventView.of(step.entry),
            before=StatesView.of(step.before),
            after=StatesView.of(step.after),
            seconds_after_previous=step.waited.total_seconds(),
        )


class JourneyView(BaseModel):
    """The story of one order up to `as_of`, or up to now."""

    order_id: str
    as_of: datetime | None
    now: StatesView
    steps: list[StepView]

    @classmethod
    def of(cls, order_id: str, steps: Sequence[Step], *, as_of: datetime | None) -> "JourneyView":
        """Show a journey of at least one step."""
        return cls(
            order_id=order_id,
            as_of=as_of,
            now=StatesView.of(steps[-1].after),
            steps=[StepView.of(step) for step in steps],
        )


class EventsView(BaseModel):
    """Events that were looked for, by time."""

    events: list[EventView]


class PreviewView(BaseModel):
    """How many events a replay would send, by type, and how many its queue would not take."""

    queue: str
    count: int
    by_type: dict[str, int]
    left_out: dict[str, int]
