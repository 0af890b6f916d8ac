"""A worker's life: build it, consume, sweep, answer health checks, drain on SIGTERM, exit 0."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import uvloop

from comanda.events import Event
from comanda.telemetry import configure_logging
from workers.runtime.aws import sqs_queue
from workers.runtime.consumer import Consumer, ConsumerLimits, Handler
from workers.runtime.health import serve_health
from workers.runtime.outbox import OutboxStore

log = logging.getLogger(__name__)
Probe = Callable[[], Awaitable[None]]
SWEEP_EVERY = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerSettings:
    """What every worker reads from its environment."""

    stage: str
    topic_arn: str
    queue_url: str
    dlq_url: str
    health_port: int = 0


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
    """Run one worker until SIGTERM or SIGINT."""
    uvloop.run(_main(build))


async def _main(build: Callable[[AsyncExitStack], Awaitable[Worker]]) -> None:
    configure_logging("worker")
    async with AsyncExitStack() as stack:
        worker = await build(stack)
        configure_logging(f"{worker.context}-worker")
        settings = worker.settings
        queue = await stack.enter_async_context(sqs_queue(settings.queue_url, settings.dlq_url))
        consumer = Consumer(queue, worker.handlers, context=worker.context, limits=worker.limits)
        await _live(worker, consumer)


async def _live(worker: Worker, consumer: Consumer) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, consumer.stop)
    async with serve_health(
        port=worker.settings.health_port,
        probe=worker.probe,
        is_healthy=lambda: consumer.is_healthy,
    ):
        sweep = Schedule(name="outbox", every=SWEEP_EVERY, run=_sweeping(worker.outbox))
        turns = [asyncio.create_task(_repeat(s)) for s in (sweep, *worker.schedules)]
        log.info("worker started")
        await consumer.run()
        for turn in turns:
            turn.cancel()
        await asyncio.gather(*turns, return_exceptions=True)
        await worker.outbox.drain()
    log.info("worker stopped")


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
