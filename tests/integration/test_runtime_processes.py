"""Real worker processes over a real queue and store: started, killed, told to leave."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from comanda.envelope import seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from local.postgres import running_postgres
from local.supervisor.ports import reserve_ports
from tests.bus_server import ROOT, BusServer, running_bus
from workers.runtime.postgres import INBOX_OUTBOX_DDL

SHOPS = (ShopId("lanchonete-da-ana"), ShopId("cantina-do-beto"), ShopId("bar-da-lua"))
COMMAND = (sys.executable, "-m", "tests.runtime_worker")


@dataclass(kw_only=True)
class Bench:
    """A queue, a topic, an empty database, and what leads a worker there."""

    bus: BusServer
    dsn: str
    queue: str
    dlq: str
    environment: dict[str, str] = field(default_factory=dict)

    def send(self, count: int, *, first: int = 0) -> None:
        sqs = self.bus.client("sqs")
        for start in range(first, first + count, 10):
            numbers = range(start, min(start + 10, first + count))
            entries = [{"Id": str(n), "MessageBody": _paid(n)} for n in numbers]
            sqs.send_message_batch(QueueUrl=self.queue, Entries=entries)

    def effects(self) -> list[tuple[str, int]]:
        """Give the order and the process of each effect."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute("SELECT order_id, pid FROM effects").fetchall()

    def depth(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.bus.client("sqs").get_queue_attributes(
            QueueUrl=self.queue, AttributeNames=names
        )
        return sum(int(answer["Attributes"][name]) for name in names)

    def visible(self) -> int:
        name = "ApproximateNumberOfMessages"
        answer = self.bus.client("sqs").get_queue_attributes(
            QueueUrl=self.queue, AttributeNames=[name]
        )
        return int(answer["Attributes"][name])


def _paid(number: int) -> str:
    event = OrderPaid(shop_id=SHOPS[number % 3], order_id=OrderId(str(number)))
    return seal(event, now=datetime.now(UTC)).to_json()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BusServer, str]]:
    with running_bus() as bus, running_postgres(tmp_path_factory.mktemp("pg")) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute(INBOX_OUTBOX_DDL.encode())
            connection.execute("CREATE TABLE effects (order_id text, pid int)")
        yield bus, dsn


@pytest.fixture
def bench(servers: tuple[BusServer, str]) -> Bench:
    bus, dsn = servers
    with psycopg.connect(dsn) as connection:
        connection.execute("TRUNCATE inbox, outbox, effects")
    name = f"orders-{uuid4().hex[:8]}"
    topic = bus.client("sns").create_topic(Name=name)["TopicArn"]
    # What a killed worker had in hand comes back soon.
    made = Bench(
        bus=bus, dsn=dsn, queue=bus.queue(name, VisibilityTimeout="5"), dlq=bus.queue(f"{name}-dlq")
    )
    made.environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": bus.url,
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "COMANDA_STAGE": "test",
        "COMANDA_TOPIC_ARN": topic,
        "COMANDA_QUEUE_URL": made.queue,
        "COMANDA_DLQ_URL": made.dlq,
        "COMANDA_DATABASE_URL": dsn,
    }
    return made


@dataclass(kw_only=True)
class Running:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=10
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as exc:
            return exc.code, exc.read().decode()
        except OSError:
            return 0, ""

    def is_ready(self) -> bool:
        return self.get("/health/ready")[0] == 200

    def tell(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def status(self, *, within: float) -> int:
        return self.process.wait(within)

    def told(self, message: str) -> int:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line[0] == "{"]
        return sum(line["event"] == message for line in lines)


@contextmanager
def worker(bench: Bench, tmp_path: Path, *arguments: str, **environment: str) -> Iterator[Running]:
    log = tmp_path / f"{uuid4().hex}.log"
    with reserve_ports(1) as (port,), log.open("wb") as stderr:
        process = subprocess.Popen(
            (*COMMAND, *arguments),
            cwd=ROOT,
            env={**bench.environment, "COMANDA_HEALTH_PORT": str(port), **environment},
            stderr=stderr,
        )
        try:
            yield Running(process=process, port=port, log=log)
        finally:
            process.kill()
            process.wait()


def until(condition: Callable[[], Any], *, within: float = 30) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def handled(page: str) -> dict[str, float]:
    """Give how many messages each process handled."""
    families = text_string_to_metric_families(page)
    return {
        sample.labels["process"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "comanda_messages_handled_total" and sample.labels["outcome"] == "handled"
    }


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
