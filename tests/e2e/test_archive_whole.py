"""Every event that a laptop publishes is in its archive once, though the archive's worker dies."""

import asyncio
import gzip
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp
import boto3
import pytest
import pytest_asyncio
from rich.console import Console

from comanda.settings import topology
from local.demo.client import Shopper, WalkFailed
from local.demo.doors import Doors, StaffLogin, doors_of
from local.demo.load import drive
from local.demo.walk import walk
from local.supervisor import System

SETTLING_SECONDS = 60.0


def client(system: System, service: str) -> Any:
    told = system.environment
    return boto3.session.Session().client(
        service,
        endpoint_url=told.get(f"AWS_ENDPOINT_URL_{service.upper()}", told["AWS_ENDPOINT_URL"]),
        region_name=told["AWS_DEFAULT_REGION"],
        aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
    )


class Witness:
    """A queue of the test's own that hears every topic, without a filter."""

    def __init__(self, system: System) -> None:
        self._sqs = client(system, "sqs")
        self._url = self._sqs.create_queue(QueueName="comanda-laptop-witness")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        sns = client(system, "sns")
        for topic in sns.list_topics()["Topics"]:
            sns.subscribe(
                TopicArn=topic["TopicArn"],
                Protocol="sqs",
                Endpoint=arn["Attributes"]["QueueArn"],
                Attributes={"RawMessageDelivery": "true"},
            )

    def heard(self) -> Iterator[dict[str, Any]]:
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            yield from (json.loads(it["Body"]) for it in messages)
            entries = [
                {"Id": str(n), "ReceiptHandle": it["ReceiptHandle"]}
                for n, it in enumerate(messages)
            ]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)


@pytest.fixture(scope="module")
def doors(system: System) -> Doors:
    return doors_of(system)


@pytest_asyncio.fixture
async def shopper(doors: Doors) -> AsyncIterator[Shopper]:
    async with aiohttp.ClientSession() as session:
        yield Shopper(session, doors)


def indexed(system: System) -> Counter[str]:
    """Count the rows of each event in the index."""
    pages = client(system, "dynamodb").get_paginator("scan")
    counts: Counter[str] = Counter()
    for page in pages.paginate(TableName="comanda-laptop-archive"):
        counts.update(it["sk"]["S"].rpartition("#")[2] for it in page["Items"] if "object" in it)
    return counts


def lines_of(system: System) -> dict[tuple[str, int], str]:
    """Give the id of the event on each line of each object."""
    s3 = client(system, "s3")
    found: dict[tuple[str, int], str] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="comanda-laptop-archive"):
        for it in page.get("Contents", ()):
            body = s3.get_object(Bucket="comanda-laptop-archive", Key=it["Key"])["Body"].read()
            for n, line in enumerate(gzip.decompress(body).decode().split("\n")[:-1]):
                found[it["Key"], n] = json.loads(line)["id"]
    return found


@pytest.mark.timeout(240)
async def test_every_event_is_archived_once_though_the_worker_is_killed(
    shopper: Shopper, doors: Doors, system: System
) -> None:
    witness = await asyncio.to_thread(Witness, system)
    load = asyncio.create_task(drive(shopper, shops=doors.shops, orders=60, advance=lambda: None))
    for _ in range(3):
        await asyncio.sleep(1.2)
        system.kill("archive-worker")
    result = await load
    assert result.failures == ()

    published: dict[str, dict[str, Any]] = {}
    until = time.monotonic() + SETTLING_SECONDS
    while True:
        heard = await asyncio.to_thread(lambda: list(witness.heard()))
        published |= {it["id"]: it for it in heard}
        rows = await asyncio.to_thread(indexed, system)
        if (not heard and published.keys() <= rows.keys()) or time.monotonic() > until:
            break
        await asyncio.sleep(1)

    assert len(published) > 60 * 6
    assert sorted(published.keys() - rows.keys()) == []
    assert {event_id: n for event_id, n in rows.items() if n != 1} == {}
    lines = set((await asyncio.to_thread(lines_of, system)).values())
    assert sorted(published.keys() - lines) == []
    types = {it["type"] for it in published.values()}
    assert types <= set(topology()["contexts"]["archive"]["subscribes"])


@pytest.mark.timeout(120)
async def test_the_owner_reads_the_journey_of_an_order(
    shopper: Shopper, doors: Doors, system: System
) -> None:
    shop = doors.shops[0]
    owners = {
        str(it.shop): StaffLogin(username=it.username, password=it.password)
        for it in system.staff
        if "owner" in it.groups
    }
    order = await walk(shopper, shop=shop, console=Console(quiet=True))
    journey = f"/apis/archive/{shop}/orders/{order['id']}/journey"
    async with aiohttp.ClientSession() as session:
        owner = Shopper(session, replace(doors, kitchens=owners))
        told: dict[str, Any] = {"now": {}}
        until = time.monotonic() + SETTLING_SECONDS
        while told["now"].get("order") != "COMPLETED" and time.monotonic() < until:
            await asyncio.sleep(0.5)
            # The archive is a second or two behind, and knows no order before its first event.
            with suppress(WalkFailed):
                told = await owner.as_staff(shop, journey)

    kinds = [step["event"]["type"] for step in told["steps"]]
    assert kinds[0] == "orders.order.placed.v1"
    assert "webhooks.notification.received.v1" in kinds
    assert told["now"] == {"order": "COMPLETED", "charge": "PAID", "stock": "SOLD"}
