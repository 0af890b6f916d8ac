"""A worker's life: build it, consume, sweep, answer health checks, drain on SIGTERM, exit 0."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import uvloop

from comanda.events import Event
from comanda.garbage import collect_seldom
from comanda.telemetry import configure_logging
from workers.runtime import tracing
from workers.runtime.aws import sqs_queue
from workers.runtime.consumer import Consumer, ConsumerLimits, Handler
from workers.runtime.health import LOOPBACK, serve_health
from workers.runtime.outbox import OutboxStore
from workers.runtime.processes import supervise, wanted_processes
from workers.runtime.tie import Tie, tied_to_parent

log = logging.getLogger(__name__)
Probe = Callable[[], Awaitable[None]]
SWEEP_EVERY = timedelta(seconds=2)
# What is not published by then is swept by whoever lives on; a topic must not keep a process.
_LONGEST_DRAIN = timedelta(seconds=5)
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerSettings:
    """What every worker reads from its environment.

    `health_host` is where health checks are answered; a kubelet comes from outside the pod, so
    there it is `0.0.0.0` or `::`.
    """

    stage: str
    topic_arn: str
    queue_url: str
    dlq_url: str
    health_port: int = 0
    health_host: str = LOOPBACK


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Work that is due again and again; a failure is logged and the next turn comes."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """All that a context hands to the runtime."""

    context: str
    settings: WorkerSettings
    handlers: Mapping[type[Event], Handler]
    outbox: OutboxStore
    probe: Probe
    schedules: tuple[Schedule, ...] = ()
    limits: ConsumerLimits = field(default_factory=ConsumerLimits)


def run_worker(build: Callable[[AsyncExitStack], Awaitable[Worker]]) -> None:
    """Run until SIGTERM or SIGINT: alone, or as many processes as `--processes` asks for."""
    count = wanted_processes(sys.argv[1:])
    if count > 1:
        sys.exit(supervise(count))
    # Until there is a consumer nothing is in hand, and whoever is told to stop may just leave.
    for number in _STOP_SIGNALS:
        signal.signal(number, _leave)
    uvloop.run(_main(build))


def _leave(*_: object) -> None:
    sys.exit(0)


async def _main(build: Callable[[AsyncExitStack], Awaitable[Worker]]) -> None:
    configure_logging("worker")
    async with AsyncExitStack() as stack:
        # Entered first, so left last: what the relay publishes at the end is told as well.
        stack.callback(tracing.stop)
        tracing.start("worker")
        tie = await stack.enter_async_context(tied_to_parent())
        log.info("worker starting")
        worker = await build(stack)
        configure_logging(f"{worker.context}-worker")
        settings = worker.settings
        queue = await stack.enter_async_context(sqs_queue(settings.queue_url, settings.dlq_url))
        consumer = Consumer(queue, worker.handlers, context=worker.context, limits=worker.limits)
        await _live(worker, consumer, tie)


async def _live(worker: Worker, consumer: Consumer, tie: Tie) -> None:
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, consumer.stop)
    tie.when_parent_dies(consumer.stop)
    async with serve_health(
        host=worker.settings.health_host,
        port=worker.settings.health_port,
        probe=worker.probe,
        is_healthy=lambda: consumer.is_healthy,
        is_alive=lambda: consumer.is_alive,
    ) as port:
        tie.tell_port(port)
        collect_seldom()
        log.info("worker started", extra={"port": port})
        await _consume(worker, consumer)
    log.info("worker stopped")


async def _consume(worker: Worker, consumer: Consumer) -> None:
    sweep = Schedule(name="outbox", every=SWEEP_EVERY, run=_sweeping(worker.outbox))
    turns = [asyncio.create_task(_repeat(s), name=s.name) for s in (sweep, *worker.schedules)]
    try:
        await consumer.run()
    finally:
        for turn in turns:
            turn.cancel()
        await asyncio.gather(*turns, return_exceptions=True)
        await _drain(worker.outbox)


async def _drain(outbox: OutboxStore) -> None:
    try:
        async with asyncio.timeout(_LONGEST_DRAIN.total_seconds()):
            await outbox.drain()
    except TimeoutError:
        log.warning("outbox left for the sweep of another process")


def _sweeping(outbox: OutboxStore) -> Callable[[], Awaitable[None]]:
    async def sweep() -> None:
        await outbox.sweep()

    return sweep


async def _repeat(schedule: Schedule) -> None:
    while True:
        await asyncio.sleep(schedule.every.total_seconds())
        try:
            await schedule.run()
        except Exception:  # A turn that fails must not end the turns after it.
            log.exception("scheduled work failed", extra={"schedule": schedule.name})
