"""Every program under its policy: rights are taken away from under real code, and given back."""

import asyncio
import time
from collections.abc import Callable

import aiohttp
import pytest
from rich.console import Console

from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.demo.walk import walk
from local.iam.laptop import policies
from local.iam.record import Entry
from local.iam.report import obey, seen_by
from local.supervisor import System
from terraform.policies import without
from tests.policies_record import replay

pytestmark = pytest.mark.timeout(180)
# What one paid order needs, of programs that try again until it is back; without the first of
# these the others have nothing to do.
TAKEN = {
    "orders-api": "dynamodb:PutItem",
    "catalog-worker": "sqs:DeleteMessage",
    "payments-worker": "sqs:DeleteMessage",
    "orders-worker": "sqs:DeleteMessage",
    "archive-worker": "s3:PutObject",
}


@pytest.fixture(scope="module")
def is_guarded() -> bool:
    return True


@pytest.fixture(scope="module")
def is_experiment() -> bool:
    return True


async def until(is_so: Callable[[], bool], *, what: str) -> None:
    deadline = time.monotonic() + 60
    while not await asyncio.to_thread(is_so):
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


def is_denied(system: System, workload: str) -> bool:
    wanted = (workload, TAKEN[workload])
    return wanted in {(it.workload, it.action) for it in seen_by(system).denied}


async def test_a_right_that_is_taken_away_is_missed_by_real_code_as_the_evaluator_says(
    system: System,
) -> None:
    whole = policies()
    poorer = {name: without(whole[name], action) for name, action in TAKEN.items()}
    doors = doors_of(system)
    async with aiohttp.ClientSession() as session:
        shopper = Shopper(session, doors)

        async def buy() -> str:
            order = await walk(shopper, shop=doors.shops[0], console=Console(quiet=True))
            return str(order["status"])

        before = await buy()
        allowed = seen_by(system)
        obey(system, poorer)
        buying = asyncio.create_task(buy())
        for name in TAKEN:
            await until(lambda name=name: is_denied(system, name), what=name)
            obey(system, {name: whole[name]})
        after = await buying

    denied = seen_by(system).denied
    assert (before, after, allowed.denied) == ("COMPLETED", "COMPLETED", ())
    assert {it.workload: it.action for it in denied} == TAKEN
    # The evaluator alone says of every call what the guard said of it while the programs ran.
    asked = {_as_asked(it) for it in (*allowed.entries, *denied)}
    assert replay(whole, list(asked)).denied == frozenset()
    refused = replay({**whole, **poorer}, list(asked)).denied
    assert {_as_asked(it) for it in denied} <= refused
    assert {(it.workload, it.action) for it in refused} == set(TAKEN.items())


def _as_asked(entry: Entry) -> Entry:
    """Give the entry without its verdict."""
    return Entry(
        workload=entry.workload,
        action=entry.action,
        resource=entry.resource,
        context=entry.context,
    )


async def test_a_key_that_nobody_has_opens_nothing(system: System) -> None:
    signed = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIANOBODY/20261121/sa-east-1/dynamodb/"
        "aws4_request, SignedHeaders=host, Signature=0",
        "X-Amz-Target": "DynamoDB_20120810.GetItem",
    }
    body = '{"TableName": "comanda-laptop-orders", "Key": {"pk": {"S": "x"}, "sk": {"S": "x"}}}'
    async with aiohttp.ClientSession() as session:
        async with session.post(system.urls["guard"], data=body, headers=signed) as answer:
            assert (answer.status, "UnrecognizedClient" in await answer.text()) == (400, True)
        async with session.post(system.urls["guard"], data=body) as answer:
            assert answer.status == 403
