"""Who is held to the messaging contract: our fake, our bus, two emulators and, if asked, AWS.

`COMANDA_CONTRACT_AWS=1` adds real AWS, with credentials and region from the environment. It makes
queues and topics named `comanda-contract-*`, and deletes them.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from local.supervisor.ports import reserve_ports
from tests.bus_server import KEYS, ROOT, running_bus, wait_until_up

IS_AWS_ASKED_FOR = os.environ.get("COMANDA_CONTRACT_AWS") == "1"
EMULATORS = ("bus", "moto", "ministack")
WIRED = (*EMULATORS, *(("aws",) if IS_AWS_ASKED_FOR else ()))
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)


@dataclass(frozen=True)
class Party:
    """A wire to speak to; without an address it is AWS itself."""

    name: str
    url: str | None

    @property
    def connection(self) -> dict[str, Any]:
        if self.url is None:
            return {}
        return {"endpoint_url": self.url, "region_name": "sa-east-1", **KEYS}

    def client(self, service: str) -> Any:
        return boto3.session.Session().client(service, config=ONCE, **self.connection)


@contextmanager
def running(name: str) -> Iterator[Party]:
    """Start a party and stop it."""
    if name == "aws":
        yield Party(name, None)
        return
    with {"bus": _bus, "moto": _moto, "ministack": _ministack}[name]() as url:
        yield Party(name, url)


@contextmanager
def _bus() -> Iterator[str]:
    with running_bus() as bus:
        yield bus.url


@contextmanager
def _moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@contextmanager
def _ministack() -> Iterator[str]:
    # As the laptop runs it, but for its SQS and SNS, which the laptop does not use.
    with reserve_ports(1) as (port,):
        environment = {
            **os.environ,
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "SERVICES": "sqs,sns",
            "MINISTACK_REGION": "sa-east-1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "ERROR",
        }
        command = [str(ROOT / ".venv-ministack" / "bin" / "ministack")]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_up(f"{url}/_ministack/ready")
            yield url
        finally:
            process.kill()
            process.wait()
