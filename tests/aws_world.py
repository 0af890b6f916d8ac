"""All of ministack, empty, for tests that deploy into it."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from local.provision.context import REPOSITORY
from local.supervisor.ports import reserve_ports

REGION, ACCOUNT, STAGE = "sa-east-1", "000000000000", "dev"
_QUICK = Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=10)


@dataclass(frozen=True, kw_only=True)
class World:
    """The address of the stand-in."""

    url: str

    def client(self, service: str) -> Any:
        """Build a client with the keys of the account itself."""
        return boto3.session.Session().client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=_QUICK,
        )

    def topic_arn(self, context: str) -> str:
        """Give a context's topic."""
        return f"arn:aws:sns:{REGION}:{ACCOUNT}:comanda-{STAGE}-{context}-events"


@contextmanager
def empty_world() -> Iterator[World]:
    """Start the stand-in, with nothing in it."""
    with reserve_ports(1) as (port,):
        python = str(REPOSITORY / ".venv-ministack" / "bin" / "python")
        whole = str(REPOSITORY / "local" / "ministack" / "whole.py")
        process = subprocess.Popen((python, whole, "--port", str(port)))
        try:
            world = World(url=f"http://127.0.0.1:{port}")
            _wait(world)
            yield world
        finally:
            process.terminate()
            process.wait()


def policy_text(policy: Mapping[str, Any]) -> str:
    """Write a policy as IAM takes it."""
    return json.dumps(policy)


def _wait(world: World) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            world.client("sts").get_caller_identity()
            return
        except (EndpointConnectionError, ClientError):
            assert time.monotonic() < until, "the stand-in does not start"
            time.sleep(0.1)
