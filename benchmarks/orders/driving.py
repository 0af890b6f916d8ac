"""Send requests to one server, so many at a time, and say what they cost."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks.orders.stage import Served
from benchmarks.workers.measure import quantile
from benchmarks.workers.processes import cost_of


class Refused(RuntimeError):
    """A server answered with something else than 2xx, so there is nothing to compare."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What to send."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Milliseconds of one request: as its client waits, and of CPU of the serving process."""

    p50: float
    p99: float
    cpu: float


async def drive(
    session: aiohttp.ClientSession,
    served: Served,
    requests: Sequence[Request],
    *,
    side_by_side: int,
) -> Cost:
    """Send all, `side_by_side` at a time; raise `Refused`."""
    waiting = iter(requests)
    took: list[float] = []

    async def client() -> None:
        for request in waiting:
            began = time.perf_counter()
            await _send(session, served.url, request)
            took.append(time.perf_counter() - began)

    before = cost_of(served.process.pid).cpu_seconds
    await asyncio.gather(*(client() for _ in range(side_by_side)))
    used = cost_of(served.process.pid).cpu_seconds - before
    ordered = sorted(took)
    return Cost(
        p50=quantile(ordered, 0.50) or 0.0,
        p99=quantile(ordered, 0.99) or 0.0,
        cpu=used / len(requests) * 1000,
    )


async def _send(session: aiohttp.ClientSession, url: str, request: Request) -> None:
    async with session.request(
        request.method, url + request.path, json=request.body, headers=request.headers
    ) as answer:
        text = await answer.text()
        if not 200 <= answer.status < 300:
            raise Refused(f"{request.method} {request.path}: {answer.status} {text[:300]}")
