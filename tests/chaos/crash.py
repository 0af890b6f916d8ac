"""Kill a worker at every boundary, then let another finish, then count.

`python -m tests.chaos.crash [--store postgres|dynamodb] [--messages N --crashes N --seed N]`, or
`make crash` for both stores, exhaustively and at random.

Without `--messages`, two messages and every boundary of their way, exhaustively: killed there, cut
off there, told to stop there once and twice (`--step 3` looks at every third). With it, so many
messages of three shops, doubled and shuffled, some of whose handlers fail after their effect, under
workers of whom each ends at random.
Leaves with 1 unless every effect happened once and every event that it emitted was published.
"""

import argparse
import asyncio
import logging
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from tests.chaos.asked import AskedQueue, AskedTopic, World
from tests.chaos.crash_stores import Books, CrashStore, Failed, Opened, crash_store
from tests.chaos.forked import Boundary, Fate, Parent, Plan, fork
from tests.chaos.sqs_model import SqsModel
from workers.runtime import consumer, receiving
from workers.runtime.consumer import Consumer, ConsumerLimits

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SHOPS = (ShopId("lanchonete-da-ana"), ShopId("cantina-do-beto"), ShopId("bar-da-lua"))
# Whoever is killed often enough would be a dead letter, and that is not what is tried here.
_MAX_RECEIVES = 10_000
LIMITS = ConsumerLimits(
    window=32,
    receivers=3,
    wait=timedelta(seconds=0.02),
    grace=timedelta(seconds=3),
    most_receives=_MAX_RECEIVES,
)
_PATIENCE = 60.0
_FAILING = 0.08


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One life over a store: consume and sweep until all is drained, or until its fate."""

    store: CrashStore
    plan: Plan
    number: int
    failing: float = 0.0

    async def __call__(self, parent: Parent) -> None:
        logging.disable(logging.CRITICAL)
        # Only how long they wait, not whether: a second at each of a thousand outages is too long.
        for module in (consumer, receiving):
            vars(module)["backoff"] = lambda _: timedelta(milliseconds=5)
        boundary = Boundary(self.plan)
        queue, topic = AskedQueue(parent, boundary), AskedTopic(parent, boundary)
        async with self.store.open(boundary, topic, self._clock) as opened:
            subject = Consumer(
                queue, {OrderPaid: self._handler(opened)}, context="orders", limits=LIMITS
            )
            boundary.stop = subject.stop
            boundary.is_armed = True
            sweeping = asyncio.create_task(self._sweep(opened))
            stopping = asyncio.create_task(self._stop_when_drained(queue, subject))
            await subject.run()
            stopping.cancel()
            await sweeping
            await opened.units.drain()
            await self._sweep(opened)
            boundary.is_armed = False
            await parent.ask("finish", boundary.count)

    def _clock(self) -> datetime:
        # Each worker lives an hour after the one before, so its sweep finds what that one left.
        return START + timedelta(hours=self.number)

    def _handler(self, opened: Opened) -> Any:
        rng = random.Random(self.number)

        async def handle(envelope: Envelope) -> None:
            with suppress(Failed):
                await opened.handle(envelope, fails=rng.random() < self.failing)
                return
            raise ValueError("the handler failed after its effect")

        return handle

    async def _sweep(self, opened: Opened) -> None:
        with suppress(Exception):  # As the worker's own schedule does: the next turn comes.
            while await opened.units.sweep():
                pass

    async def _stop_when_drained(self, queue: AskedQueue, subject: Consumer) -> None:
        await queue.drained.wait()
        subject.stop()


def filled(count: int, *, rng: random.Random, doubled: float) -> tuple[World, list[Envelope]]:
    """Make a world whose queue holds `count` messages; two are of one shop, to share a commit."""
    shops = SHOPS[:1] if count == 2 else SHOPS
    causes = [
        seal(OrderPaid(shop_id=rng.choice(shops), order_id=OrderId(str(n % 25))), now=START)
        for n in range(count)
    ]
    # Messages come back in a moment, some while they are in hand still: nothing may depend on it.
    queue = SqsModel(
        now=time.monotonic,
        rng=rng,
        visibility=0.5,
        max_receives=_MAX_RECEIVES,
        doubled=doubled,
        longest_hide=0.02,
    )
    for cause in causes:
        queue.send(cause.to_json(), message_id=cause.id)
    return World(queue=queue), causes


def live(worker: Worker, world: World) -> None:
    """Let one worker live; raise unless it ended as it should."""
    status = fork(worker, world, patience=_PATIENCE)
    if status not in (0, -signal.SIGKILL):
        raise AssertionError(f"a worker left with {status} under {worker.plan}")
    world.queue.release()


def faults(world: World, causes: Sequence[Envelope], books: Books) -> list[str]:
    """Name what is wrong; empty means exactly once."""
    wanted = Counter(cause.id for cause in causes)
    happened = Counter(cause for cause, _ in books.effects)
    emitted = {event_id for _, event_id in books.effects}
    found = {
        f"effects are missing: {wanted - happened}": wanted - happened,
        f"effects are doubled or invented: {happened - wanted}": happened - wanted,
        "an event was not published": emitted - set(world.published),
        "an event was published that never happened": set(world.published) - emitted,
        "the inbox does not tell what happened": books.inbox ^ set(wanted),
        "the outbox is not empty": books.outbox,
        "messages are left": world.queue.entries,
        "there are dead letters": world.queue.dead,
    }
    return [name for name, is_so in found.items() if is_so]


def exhaust(store: CrashStore, fate: Fate, *, step: int = 1) -> tuple[int, int]:
    """Meet this fate at every boundary of two messages; give how many, and shared commits."""
    at, shared = 1, 0
    while True:
        store.clear()
        world, causes = filled(2, rng=random.Random(at), doubled=0.0)
        live(Worker(store=store, plan=Plan(at=at, fate=fate), number=0), world)
        met = not world.boundaries or world.boundaries >= at
        live(Worker(store=store, plan=Plan(), number=1), world)
        books = store.read()
        if wrong := faults(world, causes, books):
            raise AssertionError(f"{fate} at boundary {at}: {wrong}")
        shared += books.shared_commits
        if not met:
            return at - 1, shared
        world.boundaries = 0
        at += step


def wander(store: CrashStore, *, messages: int, crashes: int, seed: int) -> dict[str, int]:
    """Let workers end at random boundaries until one finishes; give what happened."""
    rng = random.Random(seed)
    store.clear()
    world, causes = filled(messages, rng=rng, doubled=0.05)
    fates: Counter[str] = Counter()
    for number in range(crashes):
        fate = rng.choices(list(Fate), weights=(6, 2, 1, 1))[0]
        # Early, so that there is something left for those who come after.
        plan = Plan(at=rng.randint(1, 40), fate=fate)
        live(Worker(store=store, plan=plan, number=number, failing=_FAILING), world)
        fates[fate] += 1
    live(Worker(store=store, plan=Plan(), number=crashes, failing=_FAILING), world)
    live(Worker(store=store, plan=Plan(), number=crashes + 1), world)
    books = store.read()
    if wrong := faults(world, causes, books):
        raise AssertionError(f"seed {seed}: {wrong}")
    return {
        **fates,
        "deliveries": world.queue.deliveries,
        "published": len(world.published),
        "shared commits": books.shared_commits,
    }


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.crash",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--store", default="postgres", choices=("postgres", "dynamodb"))
    parser.add_argument("--messages", type=int, default=0)
    parser.add_argument("--crashes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--fates", nargs="*", default=[fate.value for fate in Fate])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, crash_store(chosen.store, Path(folder)) as store:
        try:
            _run(store, chosen)
        except AssertionError as exc:
            sys.exit(f"NOT exactly once: {exc}")


def _run(store: CrashStore, chosen: argparse.Namespace) -> None:
    if not chosen.messages:
        for fate in map(Fate, chosen.fates):
            began = time.monotonic()
            count, shared = exhaust(store, fate, step=chosen.step)
            seconds = round(time.monotonic() - began, 1)
            print(f"{chosen.store}: {fate} at {count} boundaries, {shared=}, {seconds} s: all well")
        return
    for seed in range(chosen.seed, chosen.seed + chosen.rounds):
        told = wander(store, messages=chosen.messages, crashes=chosen.crashes, seed=seed)
        print(f"{chosen.store}: {chosen.messages} messages, {seed=}: all well, {told}", flush=True)


if __name__ == "__main__":
    main()
