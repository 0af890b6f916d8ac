"""Liveness, readiness and metrics of a worker, for the kubelet and Prometheus.

Liveness is the loop's own beat and never a dependency: it fails when the receive loop has died or
the event loop has not turned for a minute. Readiness asks the store and the consumer.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from workers.runtime.health_server import Page, Pages, serve_pages

LOOPBACK = "127.0.0.1"
BEAT_EVERY = timedelta(seconds=1)
LONGEST_STALL = timedelta(seconds=60)
_PROBE_SECONDS = 5.0


class Beat:
    """When the event loop last turned; other threads may ask."""

    def __init__(self, *, longest_stall: timedelta = LONGEST_STALL) -> None:
        self._longest = longest_stall.total_seconds()
        self._last = time.monotonic()

    @property
    def is_regular(self) -> bool:
        """Tell whether the loop has turned lately."""
        return time.monotonic() - self._last < self._longest

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._last = time.monotonic()
            await asyncio.sleep(BEAT_EVERY.total_seconds())


@asynccontextmanager
async def serve_health(
    *,
    port: int,
    probe: Callable[[], Awaitable[None]],
    is_healthy: Callable[[], bool],
    is_alive: Callable[[], bool] = lambda: True,
    host: str = LOOPBACK,
    longest_stall: timedelta = LONGEST_STALL,
) -> AsyncIterator[int]:
    """Serve `/health/live`, `/health/ready` and `/metrics`; give the port that was bound."""
    beat = Beat(longest_stall=longest_stall)
    loop = asyncio.get_running_loop()

    def is_live() -> bool:
        return beat.is_regular and is_alive()

    def fault() -> str:
        return _fault_of(probe, loop=loop) if is_healthy() else "the consumer stopped"

    pages = health_pages(is_live=is_live, fault=fault, metrics=generate_latest)
    beating = asyncio.create_task(beat.run(), name="beat")
    try:
        async with serve_pages(pages, host=host, port=port) as bound:
            yield bound
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


def health_pages(
    *, is_live: Callable[[], bool], fault: Callable[[], str], metrics: Callable[[], bytes]
) -> Pages:
    """Make the three pages; `fault` says why a process is not ready, or nothing when it is."""

    def live() -> Page:
        return _page("live") if is_live() else _page("stalled", status=503)

    def ready() -> Page:
        why = fault()
        return _page("not ready", status=503, fault=why) if why else _page("ready")

    def measured() -> Page:
        return Page(body=metrics(), media_type=CONTENT_TYPE_LATEST)

    return {"/health/live": live, "/health/ready": ready, "/metrics": measured}


def _fault_of(probe: Callable[[], Awaitable[None]], *, loop: asyncio.AbstractEventLoop) -> str:
    async def ask() -> None:
        async with asyncio.timeout(_PROBE_SECONDS):
            await probe()

    future = asyncio.run_coroutine_threadsafe(ask(), loop)
    try:
        # A loop that is stalled does not even begin to ask.
        future.result(_PROBE_SECONDS + 1)
    except Exception as exc:  # noqa: BLE001  # Any failure of a dependency means "not ready".
        future.cancel()
        return type(exc).__name__
    return ""


def _page(status_word: str, *, status: int = 200, **more: str) -> Page:
    return Page(status=status, body=json.dumps({"status": status_word, **more}).encode())
