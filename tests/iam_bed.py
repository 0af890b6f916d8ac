"""What the rounds through a guarded laptop stand on: its command, its guard, clients of AWS."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from local.iam.laptop import GUARD
from local.iam.report import seen_by
from local.supervisor import System
from tests.browsers import SHOP
from tests.console_command import comanda


def places_of(system: System) -> Path:
    """Give the file by which the command finds this laptop."""
    return system.folder / "places.json"


def told_by(system: System, *words: str) -> Any:
    """Give what the command says as data."""
    said = comanda(*words, "--shop", SHOP, places=places_of(system))
    assert said.code == 0, said.err
    return said.json


async def until(is_so: Callable[[], bool], *, what: str) -> None:
    """Wait until it is so, a minute and a half at most."""
    deadline = time.monotonic() + 90
    while not await asyncio.to_thread(is_so):
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.3)


def has_asked(system: System, workload: str, action: str) -> bool:
    """Tell whether the guard let this workload do this."""
    return any(
        (it.workload, it.action, it.is_allowed) == (workload, action, True)
        for it in seen_by(system).entries
    )


def account_of(system: System, service: str) -> Any:
    """Make a client with the keys of the account itself."""
    told = system.environment
    return _client(service, told["AWS_ENDPOINT_URL"], told["AWS_ACCESS_KEY_ID"])


def client_with(system: System, key: str, service: str) -> Any:
    """Make a client that comes to the guard with this key."""
    return _client(service, system.urls[GUARD], key)


def _client(service: str, url: str, key: str) -> Any:
    return boto3.session.Session().client(
        service,
        endpoint_url=url,
        region_name="sa-east-1",
        aws_access_key_id=key,
        aws_secret_access_key="of no matter",
    )
