"""A bus in a process of its own, with clients that do not retry behind a test's back."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.bus.remote import BusControl
from local.supervisor.ports import reserve_ports

ROOT = Path(__file__).resolve().parents[1]
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=25)
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


class BusServer:
    """A bus that can be killed and started again; without a folder it forgets."""

    def __init__(self, port: int, folder: Path | None) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.control = BusControl(self.url)
        self._command = [sys.executable, "-m", "local.bus", "--port", str(port)]
        self._command += ["--data", str(folder)] if folder else []
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, cwd=ROOT, env=dict(os.environ))
        wait_until_up(f"{self.url}/health")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def client(self, service: str) -> Any:
        return boto3.session.Session().client(
            service, endpoint_url=self.url, region_name="sa-east-1", config=ONCE, **KEYS
        )

    def queue(self, name: str, **attributes: str) -> str:
        sqs = self.client("sqs")
        return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


@contextmanager
def running_bus(folder: Path | None = None) -> Iterator[BusServer]:
    with reserve_ports(1) as (port,):
        server = BusServer(port, folder)
        try:
            yield server
        finally:
            server.kill()


def wait_until_up(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            assert time.monotonic() < until, f"{url} did not come up"
            time.sleep(0.02)
