"""After the storm: send back what died, wait for what is on its way, and read the books."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from comanda.messaging.dead_letters import DeadLetter, SQSDeadLetters
from comanda.messaging.redrive import Pace, RedriveOrder, peek, redrive
from console.audit.books import Books
from console.audit.invariants import Offender, offenders
from console.audit.reading import read_books
from console.door import Door, DoorClosed
from console.places import Places, find_places
from local.chaos.stuck import stuck_orders
from local.chaos.untold import untold_events
from local.queues import client_of, depth_of, queues_of
from local.supervisor import System

_LOOK_AGAIN = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the books say in the end."""

    offenders: tuple[Offender, ...]
    statuses: Mapping[str, str]
    dead: tuple[str, ...]
    redriven: int
    open_cases: int
    books: tuple[Books, ...] = ()
    # Orders for which something was forgotten, each with what it lacks, and what nobody heard of.
    stuck: tuple[str, ...] = ()


class _Caller:
    """A blocking client behind the port of dead letters."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def call(self, action: str, params: dict[str, Any]) -> dict[str, Any]:
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in action).lstrip("_")
        answer: dict[str, Any] = await asyncio.to_thread(getattr(self._client, name), **params)
        return answer


async def settle(system: System, *, patience: timedelta) -> Verdict:
    """Redrive as an operator would, and read until nothing is wrong or the patience is over."""
    deadline = time.monotonic() + patience.total_seconds()
    sqs, queues = client_of(system.environment, "sqs"), queues_of(system.environment)
    places, redriven = find_places(system.folder / "places.json"), 0
    # One for all looks: whoever signs in at each is turned away by the limit of sign-ins.
    door = Door(places.edge, logins=places.logins)
    while True:
        redriven += sum([await _redrive(sqs, queue) for queue in queues])
        try:
            verdict = await asyncio.to_thread(_read, places, door)
        except DoorClosed:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_LOOK_AGAIN)
            continue
        dead = [line for q in queues for line in await _dead(sqs, q)]
        found, books = verdict
        stuck = [line for it in books for line in stuck_orders(it)]
        stuck += await asyncio.to_thread(untold_events, system)
        left = await asyncio.to_thread(_left, sqs, queues)
        is_quiet = not (dead or found or stuck or left)
        if is_quiet or time.monotonic() > deadline:
            return Verdict(
                offenders=tuple(found),
                statuses={order.id: order.status for it in books for order in it.orders.values()},
                dead=tuple(dead),
                redriven=redriven,
                open_cases=sum(case.is_open for it in books for case in it.cases),
                books=tuple(books),
                stuck=tuple(stuck),
            )
        await asyncio.sleep(_LOOK_AGAIN)


def _read(places: Places, door: Door) -> tuple[list[Offender], list[Books]]:
    shops = sorted(places.logins)
    books = [read_books(shop, places=places, door=door, days=7) for shop in shops]
    return [offender for it in books for offender in offenders(it)], books


async def _redrive(sqs: Any, queue: str) -> int:
    order = RedriveOrder(by="chaos", chooses=_may_go)
    letters = _letters(sqs, queue)
    report = await redrive(letters, order, now=lambda: datetime.now(UTC), pace=Pace(500))
    return report.sent


def _may_go(letter: DeadLetter) -> bool:
    # Whoever comes back a third time has a fault of its own.
    return int(letter.attributes.get("redriven_count", "0")) < 2


async def _dead(sqs: Any, queue: str) -> list[str]:
    letters = await peek(_letters(sqs, queue))
    return [f"{queue}: {letter.id} {letter.reason}" for letter in letters]


def _letters(sqs: Any, queue: str) -> SQSDeadLetters:
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    dlq = sqs.get_queue_url(QueueName=f"{queue}-dlq")["QueueUrl"]
    return SQSDeadLetters(_Caller(sqs), url=url, dlq_url=dlq)


def _left(sqs: Any, queues: list[str]) -> int:
    return sum(depth_of(sqs, queue) for queue in queues)
