"""The catalog's programs as they are started: seed, worker and API."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import boto3
import pytest
import urllib3
from moto.server import ThreadedMotoServer

from comanda.envelope import Envelope, seal
from comanda.events import ProductChanged, StockReserved
from local.postgres import running_postgres
from local.supervisor.ports import reserve_ports
from tests.catalog_builders import NOW, SHOP, line, placed, product
from workers.catalog import seed
from workers.catalog.handlers import HANDLED
from workers.catalog.migrate import migrate
from workers.catalog.worker import build

REGION = "sa-east-1"
IDENTITY = {
    f"COMANDA_{kind}_{name}": "http://127.0.0.1:9/nobody"
    for kind in ("CUSTOMER", "STAFF", "GUEST")
    for name in ("ISSUER", "JWKS_URL", "CLIENT_ID")
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    with running_postgres(tmp_path_factory.mktemp("catalog")) as dsn:
        migrate(dsn)
        yield _aws(endpoint) | _provisioned(endpoint) | {"COMANDA_DATABASE_URL": dsn} | IDENTITY
    server.stop()


@pytest.fixture(autouse=True)
def environ(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def _aws(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "laptop",
        "AWS_SECRET_ACCESS_KEY": "laptop",
    }


def _client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="laptop",
        aws_secret_access_key="laptop",
    )


def _provisioned(endpoint: str) -> dict[str, str]:
    sns, sqs = _client("sns", endpoint), _client("sqs", endpoint)
    topic = sns.create_topic(Name="comanda-test-catalog-events")["TopicArn"]
    url = sqs.create_queue(QueueName="comanda-test-listener")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:comanda-test-listener"
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
    return {
        "COMANDA_STAGE": "test",
        "COMANDA_SHOPS": SHOP,
        "COMANDA_TOPIC_ARN": topic,
        "COMANDA_QUEUE_URL": url,
        "COMANDA_DLQ_URL": url,
    }


def heard(environment: dict[str, str]) -> list[Envelope]:
    """Take everything off the queue that listens to the catalog's topic."""
    sqs = _client("sqs", environment["AWS_ENDPOINT_URL"])
    url = environment["COMANDA_QUEUE_URL"]
    envelopes: list[Envelope] = []
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        envelopes += [Envelope.from_json(message["Body"]) for message in got]
        for message in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return envelopes


async def test_seed_and_worker_speak_to_the_topic_and_the_database(
    environment: dict[str, str],
) -> None:
    meal = replace(product(), id=seed.product_id(SHOP, "x-salada"), name="X-Salada")
    order = seal(placed(line(meal)), now=NOW)

    await seed.main()
    changes = await asyncio.to_thread(heard, environment)
    await seed.main()
    async with AsyncExitStack() as stack:
        worker = await build(stack)
        await worker.probe()
        await worker.handlers[type(order.event)](order)
        await worker.outbox.drain()
    answers = await asyncio.to_thread(heard, environment)

    assert [type(each.event) for each in changes] == [ProductChanged] * 10
    assert frozenset(worker.handlers) == HANDLED
    assert [type(each.event) for each in answers] == [StockReserved]
    assert answers[0].causation_id == order.id


def test_the_api_serves_until_it_is_told_to_stop() -> None:
    with reserve_ports(1) as (port,):
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.catalog.api"],
            env=os.environ | {"COMANDA_HTTP_PORT": str(port)},
            stderr=subprocess.DEVNULL,
        )
        base = f"http://127.0.0.1:{port}"
        retries = urllib3.Retry(connect=240, backoff_factor=0.1, backoff_max=0.25)
        try:
            ready = urllib3.request("GET", f"{base}/health/ready", retries=retries)
            menu = urllib3.request("GET", f"{base}/apis/catalog/{SHOP}/menu")
            stock = urllib3.request("GET", f"{base}/apis/catalog/{SHOP}/stock")
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=30)

    assert (ready.status, menu.status, stock.status) == (200, 200, 401)
    assert status == 0
