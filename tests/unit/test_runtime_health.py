"""Health: life is the loop's own beat, readiness asks the dependencies and the consumer."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from comanda.messaging.memory import InMemoryQueue
from comanda.messaging.ports import Message
from workers.runtime.consumer import Consumer, ConsumerLimits
from workers.runtime.health import serve_health

Asked = Callable[[str], Awaitable[tuple[int, dict[str, str]]]]


async def well() -> None:
    return None


async def away() -> None:
    raise ConnectionError("the store is gone")


async def hangs() -> None:
    await asyncio.Event().wait()


def fetch(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as exc:
        return exc.code, exc.read()


@asynccontextmanager
async def served(
    *,
    probe: Callable[[], Awaitable[None]] = well,
    is_healthy: bool = True,
    is_alive: Callable[[], bool] = lambda: True,
    longest_stall: float = 60,
    host: str = "127.0.0.1",
) -> AsyncIterator[Asked]:
    async with serve_health(
        port=0,
        probe=probe,
        is_healthy=lambda: is_healthy,
        is_alive=is_alive,
        host=host,
        longest_stall=timedelta(seconds=longest_stall),
    ) as port:
        name = f"[{host}]" if ":" in host else host

        async def ask(path: str) -> tuple[int, dict[str, str]]:
            status, body = await asyncio.to_thread(fetch, f"http://{name}:{port}{path}")
            return status, json.loads(body)

        yield ask


async def test_a_worker_whose_parts_are_well_is_live_and_ready() -> None:
    async with served() as ask:
        assert await ask("/health/live") == (200, {"status": "live"})
        assert await ask("/health/ready") == (200, {"status": "ready"})


async def test_a_dependency_that_is_away_costs_readiness_and_never_life() -> None:
    async with served(probe=away) as ask:
        assert await ask("/health/live") == (200, {"status": "live"})
        assert await ask("/health/ready") == (
            503,
            {"status": "not ready", "fault": "ConnectionError"},
        )


async def test_a_dependency_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.runtime.health._PROBE_SECONDS", 0.2)
    async with served(probe=hangs) as ask, asyncio.timeout(5):
        assert (await ask("/health/ready"))[0] == 503


async def test_a_consumer_that_stopped_is_live_and_not_ready() -> None:
    async with served(is_healthy=False) as ask:
        assert (await ask("/health/live"))[0] == 200
        assert (await ask("/health/ready"))[1]["fault"] == "the consumer stopped"


async def test_a_receive_loop_that_died_is_not_live() -> None:
    async with served(is_alive=lambda: False) as ask:
        assert await ask("/health/live") == (503, {"status": "stalled"})


async def test_a_stalled_event_loop_answers_that_it_is_not_live_and_recovers() -> None:
    async with serve_health(
        port=0, probe=well, is_healthy=lambda: True, longest_stall=timedelta(seconds=1.2)
    ) as port:
        url = f"http://127.0.0.1:{port}/health/live"
        during = asyncio.get_running_loop().run_in_executor(None, _fetch_after, 1.6, url)
        time.sleep(2)  # The stall itself: nothing on this loop can run.
        assert (await during)[0] == 503
        await asyncio.sleep(0.05)
        assert (await asyncio.to_thread(fetch, url))[0] == 200


def _fetch_after(seconds: float, url: str) -> tuple[int, bytes]:
    time.sleep(seconds)
    return fetch(url)


@pytest.mark.parametrize("host", ["0.0.0.0", "::1"])  # noqa: S104  # As in a pod.
async def test_health_is_served_where_a_kubelet_can_reach_it(host: str) -> None:
    async with served(host=host) as ask:
        assert (await ask("/health/live"))[0] == 200


async def test_what_is_not_there_is_not_found() -> None:
    async with served() as ask:
        assert (await ask("/health"))[0] == 404


async def test_metrics_are_served_as_prometheus_reads_them() -> None:
    async with serve_health(port=0, probe=well, is_healthy=lambda: True) as port:
        status, body = await asyncio.to_thread(fetch, f"http://127.0.0.1:{port}/metrics")

    assert status == 200
    assert b"# TYPE comanda_messages_handled_total counter" in body


class BrokenQueue(InMemoryQueue):
    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        raise KeyError("a fault of ours, not an outage")


async def test_a_consumer_whose_receivers_died_tells_so_and_raises_the_fault() -> None:
    subject = Consumer(BrokenQueue(), {}, context="orders", limits=ConsumerLimits())

    with pytest.raises(ExceptionGroup) as fault:
        await asyncio.wait_for(subject.run(), 5)

    assert fault.group_contains(KeyError)
    assert not subject.is_alive


async def test_a_consumer_that_was_told_to_stop_is_alive_to_the_end() -> None:
    subject = Consumer(InMemoryQueue(), {}, context="orders", limits=ConsumerLimits())
    task = asyncio.create_task(subject.run())
    await asyncio.sleep(0)
    assert subject.is_alive
    assert subject.is_healthy

    subject.stop()
    await asyncio.wait_for(task, 5)

    assert subject.is_alive
    assert not subject.is_healthy
