"""Real worker processes over a real bus and a real PostgreSQL, and ways to look at them."""

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
