"""Real worker processes over a real queue and store: started, killed, told to leave."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests import runtime_bench
from tests.runtime_bench import Bench, handled, is_running, until, worker

servers = runtime_bench.servers
bench = runtime_bench.bench


def test_two_processes_share_a_queue_and_one_page_of_metrics(bench: Bench, tmp_path: Path) -> None:
    with worker(bench, tmp_path, "--processes", "2", COMANDA_TEST_PAUSE="0.3") as running:
        until(running.is_ready)
        bench.send(300)
        until(lambda: bench.depth() == 0)
        counts = handled(running.get("/metrics")[1])
        starts = [
            line for line in running.get("/metrics")[1].splitlines() if "starts_total{" in line
        ]
        running.tell()
        status = running.status(within=30)

    assert status == 0
    assert set(counts) == {"0", "1"}
    assert sum(counts.values()) == 300
    assert len({pid for _, pid in bench.effects()}) == 2
    assert [line.split()[-1] for line in starts] == ["1", "1"]
    assert running.told("worker stopped") == 2


def test_a_killed_child_is_started_again_and_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    with worker(bench, tmp_path, "--processes", "2", COMANDA_TEST_PAUSE="0.3") as running:
        until(running.is_ready)
        bench.send(200)
        until(bench.effects)
        victim = bench.effects()[0][1]
        os.kill(victim, signal.SIGKILL)
        until(lambda: not running.is_ready())
        assert running.get("/health/live")[0] == 200
        until(running.is_ready)
        until(lambda: bench.depth() == 0, within=60)
        page = running.get("/metrics")[1]
        running.tell()
        status = running.status(within=30)

    assert status == 0
    assert sorted(int(order) for order, _ in bench.effects()) == list(range(200))
    starts = [line for line in page.splitlines() if "process_starts_total{" in line]
    assert sorted(line.split()[-1] for line in starts) == ["1", "2"]


def test_children_leave_when_their_parent_is_killed(bench: Bench, tmp_path: Path) -> None:
    with worker(bench, tmp_path, "--processes", "2", COMANDA_TEST_PAUSE="0.3") as running:
        until(running.is_ready)
        bench.send(100)
        until(lambda: len({pid for _, pid in bench.effects()}) == 2)
        children = {pid for _, pid in bench.effects()}
        running.tell(signal.SIGKILL)
        until(lambda: not any(is_running(pid) for pid in children), within=20)
        left = bench.depth()

    # What was in hand was finished: nothing waits for a visibility timeout.
    assert len(bench.effects()) + left == 100
    assert bench.visible() == left
    assert running.told("worker stopped") == 2


@pytest.mark.parametrize("arguments", [(), ("--processes", "2")])
def test_a_second_sigterm_hands_back_what_is_in_hand(
    bench: Bench, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with worker(bench, tmp_path, *arguments, COMANDA_TEST_PAUSE="60") as running:
        until(running.is_ready)
        bench.send(30)
        until(lambda: bench.visible() == 0)
        running.tell()
        with pytest.raises(subprocess.TimeoutExpired):
            running.status(within=1)
        running.tell()
        status = running.status(within=10)
        visible = bench.visible()

    assert status == 0
    assert visible == 30
    assert bench.effects() == []


def test_a_sigterm_under_load_leaves_within_the_grace_period(bench: Bench, tmp_path: Path) -> None:
    bench.send(400)
    with worker(bench, tmp_path, COMANDA_TEST_PAUSE="0.1") as running:
        until(bench.effects)
        running.tell()
        status = running.status(within=15)
        done, left = len(bench.effects()), bench.depth()
    assert bench.visible() == left

    with worker(bench, tmp_path) as second:
        until(lambda: bench.depth() == 0)
        second.tell(signal.SIGINT)
        second_status = second.status(within=15)

    assert (status, second_status) == (0, 0)
    assert 0 < done < 400
    assert done + left == 400
    assert sorted(int(order) for order, _ in bench.effects()) == list(range(400))


def test_a_sigkill_under_load_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    bench.send(300)
    for _ in range(2):
        with worker(bench, tmp_path, COMANDA_TEST_PAUSE="0.05") as running:
            before = len(bench.effects())
            until(lambda before=before: len(bench.effects()) > before)
            running.tell(signal.SIGKILL)
            running.status(within=5)

    with worker(bench, tmp_path) as last:
        until(lambda: bench.depth() == 0)
        last.tell()
        assert last.status(within=15) == 0

    assert sorted(int(order) for order, _ in bench.effects()) == list(range(300))


@pytest.mark.parametrize("arguments", [(), ("--processes", "2")])
def test_a_worker_that_still_waits_for_its_store_leaves_well(
    bench: Bench, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/nothing"
    with worker(bench, tmp_path, *arguments, COMANDA_DATABASE_URL=nowhere) as running:
        until(lambda: running.told("supervising" if arguments else "worker starting"))
        running.tell()
        assert running.status(within=10) == 0


def test_a_wrong_environment_is_told_and_is_no_good_end(bench: Bench, tmp_path: Path) -> None:
    with worker(bench, tmp_path, COMANDA_QUEUE_URL="") as running:
        assert running.status(within=20) == 1
        assert "COMANDA_QUEUE_URL is missing" in running.log.read_text()


def test_children_that_cannot_start_leave_the_parent_live_and_not_ready(
    bench: Bench, tmp_path: Path
) -> None:
    with worker(bench, tmp_path, "--processes", "2", COMANDA_QUEUE_URL="") as running:
        until(lambda: running.told("worker process died") >= 2)
        live, ready = running.get("/health/live"), running.get("/health/ready")
        running.tell()
        running.status(within=10)

    assert live[0] == 200
    assert (ready[0], json.loads(ready[1])["fault"]) == (503, "not ready: process 0, 1")


def test_a_collector_that_never_answers_keeps_no_process(bench: Bench, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        collector = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with worker(bench, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector) as running:
            bench.send(200)
            until(lambda: bench.depth() == 0)
            running.tell()
            status = running.status(within=10)

    assert status == 0
    assert sorted(int(order) for order, _ in bench.effects()) == list(range(200))
