"""The API and the worker of orders as processes of their own: settings, start, work, SIGTERM."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import boto3
import pytest
from moto.server import ThreadedMotoServer

from comanda.envelope import seal
from comanda.settings import topology
from local.provision.tables import table_request
from tests.orders_builders import NOW, SHOP, changed
from workers.orders.handlers import HANDLERS
from workers.orders.line_items import menu_key
from workers.runtime.dynamodb import to_item

TABLE = "comanda-test-orders-processes"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    shape = topology()["contexts"]["orders"]["tables"]["orders"]
    client(environment, "dynamodb").create_table(**table_request(TABLE, shape))
    sqs, sns = client(environment, "sqs"), client(environment, "sns")
    environment |= {
        "COMANDA_STAGE": "test",
        "COMANDA_SHOPS": SHOP,
        "COMANDA_ORDERS_TABLE": TABLE,
        "COMANDA_TOPIC_ARN": sns.create_topic(Name="comanda-test-orders-events")["TopicArn"],
        "COMANDA_QUEUE_URL": sqs.create_queue(QueueName="comanda-test-orders")["QueueUrl"],
        "COMANDA_DLQ_URL": sqs.create_queue(QueueName="comanda-test-orders-dlq")["QueueUrl"],
    }
    for kind in ("CUSTOMER", "STAFF", "GUEST"):
        environment[f"COMANDA_{kind}_ISSUER"] = f"https://{kind.lower()}"
        environment[f"COMANDA_{kind}_JWKS_URL"] = "http://127.0.0.1:1/jwks.json"
        environment[f"COMANDA_{kind}_CLIENT_ID"] = kind.lower()
    yield environment
    server.stop()


def client(environment: dict[str, str], service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@asynccontextmanager
async def running(module: str, *, environment: dict[str, str]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, env={**os.environ, **environment}
    )
    try:
        yield
        process.send_signal(signal.SIGTERM)
        # Uvicorn ends its graceful shutdown by the signal that began it.
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_ready(base: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            try:
                async with session.get(f"{base}/health/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


def test_the_worker_handles_what_its_queue_receives() -> None:
    subscribed = set(topology()["contexts"]["orders"]["subscribes"])

    assert {event.wire_type for event in HANDLERS} == subscribed


async def test_the_worker_copies_the_menu_and_stops_when_told(aws: dict[str, str]) -> None:
    port = free_port()
    message = seal(changed(), now=NOW).to_json()
    client(aws, "sqs").send_message(QueueUrl=aws["COMANDA_QUEUE_URL"], MessageBody=message)
    key = to_item(menu_key(SHOP, changed().product_id))

    async with running(
        "workers.orders.worker", environment={**aws, "COMANDA_HEALTH_PORT": str(port)}
    ):
        await until_ready(f"http://127.0.0.1:{port}")
        async with asyncio.timeout(20):
            while "Item" not in client(aws, "dynamodb").get_item(TableName=TABLE, Key=key):
                await asyncio.sleep(0.1)


async def test_the_api_serves_and_stops_when_told(aws: dict[str, str]) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"

    async with running("workers.orders.api", environment={**aws, "COMANDA_HTTP_PORT": str(port)}):
        await until_ready(base)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{base}/apis/orders/{SHOP}/board") as answer,
        ):
            status = answer.status

    assert status == 401
