"""Inbox, effect and outbox in one `TransactWriteItems`, over HTTP against moto."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from aiobotocore.session import get_session
from moto.server import ThreadedMotoServer

from comanda.envelope import Envelope, seal
from comanda.events import OrderPaid, OrderPlaced
from comanda.ids import OrderId, ShopId
from comanda.messaging.memory import InMemoryPublisher
from comanda.money import ZERO
from comanda.settings import topology
from comanda.telemetry import OUTBOX_OLDEST_SECONDS
from workers.runtime.dynamodb import OUTBOX_SHARDS, DynamoUnits, to_item
from workers.runtime.errors import AlreadyHandled, Conflict

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SHOP = ShopId("lanchonete")
# moto keeps one world per process, which other suites share.
TABLE = f"comanda-test-{uuid4()}"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def cause() -> Envelope:
    placed = OrderPlaced(
        shop_id=SHOP, order_id=OrderId("o"), customer_id=None, lines=(), total=ZERO
    )
    return seal(placed, now=NOW)


def effect() -> OrderPaid:
    return OrderPaid(shop_id=SHOP, order_id=OrderId("o"))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def connection(endpoint: str) -> dict[str, str]:
    return {
        "endpoint_url": endpoint,
        "region_name": "sa-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }


@pytest.fixture
async def client(endpoint: str) -> AsyncIterator[Any]:
    admin = boto3.client("dynamodb", **connection(endpoint))
    outbox = topology()["contexts"]["orders"]["tables"]["orders"]["indexes"]["outbox"]
    keys = ("pk", "sk", outbox["hash_key"], outbox["range_key"])
    admin.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "outbox",
                "KeySchema": [
                    {"AttributeName": outbox["hash_key"], "KeyType": "HASH"},
                    {"AttributeName": outbox["range_key"], "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    async with get_session().create_client("dynamodb", **connection(endpoint)) as client:
        yield client
    admin.delete_table(TableName=TABLE)


def put(pk: str, *, condition: str | None = None) -> dict[str, Any]:
    arguments: dict[str, Any] = {"Item": to_item({"pk": pk, "sk": "X", "nothing": None})}
    if condition:
        arguments["ConditionExpression"] = condition
    return {"Put": arguments}


async def keys(client: Any) -> list[str]:
    answer = await client.scan(TableName=TABLE)
    return sorted(item["pk"]["S"].split("#")[0] for item in answer["Items"])


async def test_an_effect_and_its_event_go_out_once_for_two_deliveries(client: Any) -> None:
    publisher = InMemoryPublisher()
    units = DynamoUnits(client, table=TABLE, publisher=publisher, clock=Clock())
    envelope = cause()

    async with units.begin(envelope) as unit:
        unit.write(put("EFFECT"))
        unit.emit(effect())
    with pytest.raises(AlreadyHandled):
        async with units.begin(envelope) as unit:
            unit.write(put("SECOND"))
            unit.emit(effect())
    await units.drain()

    assert await keys(client) == ["EFFECT", "INBOX"]
    assert [e.event for e in publisher.published] == [effect()]
    assert publisher.published[0].causation_id == envelope.id


async def test_another_failed_condition_is_a_conflict_and_writes_nothing(client: Any) -> None:
    publisher = InMemoryPublisher()
    units = DynamoUnits(client, table=TABLE, publisher=publisher, clock=Clock())

    with pytest.raises(Conflict):
        async with units.begin(cause()) as unit:
            unit.write(put("EFFECT", condition="attribute_exists(pk)"))
            unit.emit(effect())
    await units.drain()

    assert await keys(client) == []
    assert publisher.published == []


async def test_what_could_not_be_published_is_swept_later(client: Any) -> None:
    publisher, clock = InMemoryPublisher(), Clock()
    publisher.is_down = True
    units = DynamoUnits(client, table=TABLE, publisher=publisher, clock=clock)
    async with units.begin() as unit:
        unit.emit(effect())
    await units.drain()
    publisher.is_down = False

    too_early = await units.sweep()
    clock.now += timedelta(seconds=6)
    in_time = await units.sweep()
    oldest = OUTBOX_OLDEST_SECONDS._value.get()
    await units.sweep()

    assert (too_early, in_time) == (0, 1)
    assert (oldest >= 6, OUTBOX_OLDEST_SECONDS._value.get()) == (True, 0)
    assert [e.event for e in publisher.published] == [effect()]
    assert await keys(client) == []


async def test_what_this_version_cannot_read_does_not_hold_back_what_it_can(client: Any) -> None:
    publisher, clock = InMemoryPublisher(), Clock()
    publisher.is_down = True
    units = DynamoUnits(client, table=TABLE, publisher=publisher, clock=clock)
    for shard in range(OUTBOX_SHARDS):
        newer = {
            "pk": f"OUTBOX#newer-{shard}",
            "sk": "OUTBOX",
            "outbox_pk": f"PENDING#{shard}",
            "outbox_sk": "2026-01-01T00:00:00.000000Z#newer",
            "body": '{"specversion": "1.0", "type": "orders.x.y.v9"}',
        }
        await client.put_item(TableName=TABLE, Item=to_item(newer))
    async with units.begin() as unit:
        unit.emit(effect())
    await units.drain()
    publisher.is_down = False
    clock.now += timedelta(seconds=6)

    assert await units.sweep() == 1
    assert [e.event for e in publisher.published] == [effect()]
    assert await keys(client) == ["OUTBOX"] * OUTBOX_SHARDS


async def test_a_unit_that_does_nothing_writes_nothing(client: Any) -> None:
    units = DynamoUnits(client, table=TABLE, publisher=InMemoryPublisher(), clock=Clock())

    async with units.begin() as unit:
        assert await unit.get("nobody", "X") is None

    assert await keys(client) == []


async def test_an_item_is_read_back_as_plain_values(client: Any) -> None:
    units = DynamoUnits(client, table=TABLE, publisher=InMemoryPublisher(), clock=Clock())

    async with units.begin() as unit:
        unit.write(put("A"))
    async with units.begin() as unit:
        item = await unit.get("A", "X")

    assert item == {"pk": "A", "sk": "X"}
