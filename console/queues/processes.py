"""The processes of a stage, asked by their own doors: ready or not, how fast, what waits."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT = aiohttp.ClientTimeout(total=3)
_HANDLED = "comanda_messages_handled_total"
_OUTBOX = "comanda_outbox_oldest_seconds"
_WAIT = "comanda_message_wait_seconds"
# Between the two looks that a rate needs: in less, a worker that works may have finished nothing.
_APART = 1.0
# A sweep comes every two seconds and leaves alone what is younger than five.
LONGEST_OUTBOX = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What a process told at a moment of our monotonic clock.

    `handled` is its whole life's, and `None` if it did not answer.
    """

    at: float
    fault: str
    handled: float | None = None
    outbox: float | None = None
    wait: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessState:
    """A process now; `rate` is messages a second since the look before, and `None` for an API.

    `outbox` is the age in seconds of the oldest event that it could not publish, `wait` how long
    the oldest of the messages it took last had waited.
    """

    name: str
    fault: str
    rate: float | None
    outbox: float | None
    wait: float | None

    @property
    def is_ready(self) -> bool:
        """Tell whether it says that it is ready."""
        return not self.fault

    @property
    def is_stuck(self) -> bool:
        """Tell whether its events do not get out."""
        return (self.outbox or 0.0) > LONGEST_OUTBOX


class Processes:
    """All processes whose doors we know; `urls` by name, such as `orders` and `orders-worker`."""

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[str, str]) -> None:
        self._session = session
        self._urls = {name: url.rstrip("/") for name, url in urls.items()}
        self._before: dict[str, Sample] = {}

    async def states(self) -> dict[str, ProcessState]:
        """Look at all at once, a second after the look before at the earliest."""
        before = self._before or await self._look()
        newest = max((it.at for it in before.values()), default=0.0)
        await asyncio.sleep(max(0.0, newest + _APART - time.monotonic()))
        now = self._before = await self._look()
        return {name: _state(name, before.get(name), it) for name, it in now.items()}

    async def _look(self) -> dict[str, Sample]:
        samples = await asyncio.gather(*(self._sample(url) for url in self._urls.values()))
        return dict(zip(self._urls, samples, strict=True))

    async def _sample(self, url: str) -> Sample:
        try:
            async with self._session.get(f"{url}/health/ready", timeout=_TIMEOUT) as got:
                fault = "" if got.status == 200 else f"not ready ({got.status})"
            async with self._session.get(f"{url}/metrics", timeout=_TIMEOUT) as got:
                told = dict(_told(await got.text()))
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            return Sample(at=time.monotonic(), fault=f"no answer ({type(exc).__name__})")
        return Sample(
            at=time.monotonic(),
            fault=fault,
            handled=told.get(_HANDLED, 0.0),
            outbox=told.get(_OUTBOX),
            wait=told.get(_WAIT),
        )


def parse_urls(text: str) -> dict[str, str]:
    """Read `name=url` pairs, separated by commas."""
    pairs = (part.strip().partition("=") for part in text.split(",") if part.strip())
    found = {name: url for name, _, url in pairs}
    if not all(name and url.startswith("http") for name, url in found.items()):
        raise ValueError("processes are name=url, separated by commas")
    return found


def _told(text: str) -> Iterator[tuple[str, float]]:
    """Give our three: counts are summed over types and processes, of ages the largest counts."""
    wanted: dict[str, list[float]] = {_HANDLED: [], _OUTBOX: [], _WAIT: []}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in wanted:
                wanted[sample.name].append(sample.value)
    for name, values in wanted.items():
        if values:
            yield name, sum(values) if name == _HANDLED else max(values)


def _state(name: str, before: Sample | None, now: Sample) -> ProcessState:
    rate = _rate(before, now) if name.endswith("-worker") and before is not None else None
    return ProcessState(name=name, fault=now.fault, rate=rate, outbox=now.outbox, wait=now.wait)


def _rate(before: Sample, now: Sample) -> float | None:
    if before.handled is None or now.handled is None:
        return None
    # A process that began anew counts from nothing.
    return max(0.0, now.handled - before.handled) / max(now.at - before.at, 0.001)
