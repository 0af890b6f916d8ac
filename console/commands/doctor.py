"""`comanda doctor`: knock at every door, look into every queue, and say what to do."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import typer

from comanda.messaging.ports import MessagingUnavailable
from console.commands.asking import (
    FOUND,
    Asked,
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    out,
    plain,
    told,
)
from console.door import DoorClosed
from console.queues.caller import open_caller
from console.queues.queues import Queues, QueueState

# Something small behind each door that the owner of a shop may read.
_DOORS = (
    ("auth", "/staff"),
    ("orders", "/board"),
    ("catalog", "/shop"),
    ("payments", "/totals"),
    ("archive", "/replays"),
)
# More than this waits only when workers do not keep up.
_LONG = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at; `advice` is what to do when it is not well."""

    what: str
    is_well: bool
    detail: str
    advice: str = ""


def doctor(
    *, shop: ShopOption = "", places: PlacesOption = None, as_json: JsonOption = False
) -> None:
    """Look at every door and queue; 1 when something is not well.

    Example: comanda doctor
    """
    with told():
        found = [*_doors(asked(places, shop)), *_queues(asked(places, shop))]
    if as_json:
        answer_json([asdict(it) for it in found])
    else:
        for it in found:
            mark = "[green]well[/]" if it.is_well else "[red]ILL [/]"
            out.print(f"{mark} {plain(it.what)}: {plain(it.detail)}", soft_wrap=True)
            if it.advice:
                out.print(f"     → {plain(it.advice)}", soft_wrap=True)
    if not all(it.is_well for it in found):
        raise typer.Exit(FOUND)


def _doors(ask: Asked) -> Iterator[Finding]:
    for context, path in _DOORS:
        what = f"door of {context}"
        try:
            ask.read(context, path)
        except DoorClosed as exc:
            advice = f"look at the log and /health/ready of {context}'s API, then at its store"
            yield Finding(what=what, is_well=False, detail=str(exc), advice=advice)
        else:
            yield Finding(what=what, is_well=True, detail="answers")


def _queues(ask: Asked) -> Iterator[Finding]:
    if not ask.places.stage:
        advice = "name `stage` in the file of places, and have keys for its queues"
        yield Finding(what="queues", is_well=False, detail="their stage is unknown", advice=advice)
        return
    queues = Queues(open_caller(ask.places.sqs), stage=ask.places.stage)
    try:
        states = asyncio.run(queues.states())
    except MessagingUnavailable as exc:
        advice = "on a laptop the bus is down; on AWS look at the keys and the stage's name"
        yield Finding(what="queues", is_well=False, detail=str(exc), advice=advice)
        return
    for state in states:
        yield _queue(state)
        yield _dead(state)


def _queue(state: QueueState) -> Finding:
    detail = f"{state.waiting} wait, {state.in_hand} in hand: {state.consumers}"
    advice = ""
    if state.is_deserted:
        advice = (
            f"nobody receives: is {state.context}-worker up and ready? docs/runbooks/workers.md"
        )
    elif state.waiting > _LONG:
        advice = f"{state.context}-worker does not keep up: docs/runbooks/workers.md"
    what = f"queue of {state.context}"
    return Finding(what=what, is_well=not advice, detail=detail, advice=advice)


def _dead(state: QueueState) -> Finding:
    dead = state.dead + state.dead_in_hand
    advice = f"comanda dlq list {state.context}; docs/runbooks/dead-letters.md" if dead else ""
    what = f"dead letters of {state.context}"
    return Finding(what=what, is_well=not dead, detail=str(dead), advice=advice)
