"""The stores of orders under contract: memory, and DynamoDB's protocol against moto."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import boto3
import pytest
from aiobotocore.session import get_session
from moto.server import ThreadedMotoServer

from comanda.envelope import Envelope
from comanda.ids import CustomerId
from comanda.messaging.memory import InMemoryPublisher
from comanda.settings import topology
from local.provision.tables import table_request
from tests.orders_builders import Clock, changed, deliver, request, till
from workers.orders.desk import DynamoDesk
from workers.orders.floor import Store
from workers.orders.letterbox import DynamoLetterbox
from workers.orders.memory import InMemoryOrders
from workers.orders.model import Order
from workers.orders.placing import Till
from workers.orders.ports import Desk, Letterbox
from workers.orders.repository import DynamoOrderRepository
from workers.orders.table import DynamoTable
from workers.runtime.dynamodb import DynamoUnits

TABLE = "comanda-test-orders"
# All servers of moto in one process share their tables, so every side has a name of its own.
_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Side:
    """A store and its surroundings."""

    store: Store
    desk: Desk
    letterbox: Letterbox
    clock: Clock
    published: Callable[[], Awaitable[list[Envelope]]]
    calls: Counter[str] = field(default_factory=Counter)
    table: str = ""

    @property
    def till(self) -> Till:
        return till(self.store, desk=self.desk, menus=self.store, clock=self.clock)

    async def read(self, order: Order) -> Order:
        found = await self.store.get(order.shop_id, order.id)
        assert found is not None
        return found


class CountingClient:
    """A client that counts its calls by name, and the items that queries and scans look at."""

    def __init__(self, client: Any, calls: Counter[str]) -> None:
        self._client = client
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        async def counted(**arguments: Any) -> Any:
            answer = await call(**arguments)
            self._calls[name] += 1
            self._calls["items looked at"] += answer.get("ScannedCount", 0)
            return answer

        return counted


async def placed_by(side: Side, owner: str, *, customer: CustomerId | None = None) -> Order:
    await deliver(changed(), orders=side.store)
    wanted = replace(request(owner=owner), customer_id=customer, name="Ana")
    placement = await side.till.place(wanted)
    assert placement.order is not None
    side.clock.pass_by(seconds=1)
    return placement.order


@contextmanager
def dynamodb_stand_in() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@asynccontextmanager
async def opened_side(kind: str, endpoint: str) -> AsyncIterator[Side]:
    clock = Clock()
    if kind == "memory":
        orders = InMemoryOrders(clock=clock)

        async def published() -> list[Envelope]:
            return orders.published

        yield Side(store=orders, desk=orders, letterbox=orders, clock=clock, published=published)
        return
    options = connection(endpoint)
    admin = boto3.client("dynamodb", **options)
    shape = topology()["contexts"]["orders"]["tables"]["orders"]
    name = f"{TABLE}-{next(_numbers)}"
    admin.create_table(**table_request(name, shape))
    async with get_session().create_client("dynamodb", **options) as client:
        calls: Counter[str] = Counter()
        counting = CountingClient(client, calls)
        publisher = InMemoryPublisher()
        units = DynamoUnits(counting, table=name, publisher=publisher, clock=clock)

        async def drained() -> list[Envelope]:
            await units.drain()
            return publisher.published

        table = DynamoTable(counting, name=name)
        yield Side(
            store=DynamoOrderRepository(table, units=units),
            desk=DynamoDesk(table),
            letterbox=DynamoLetterbox(table),
            clock=clock,
            published=drained,
            calls=calls,
            table=name,
        )
        await units.drain()
    admin.delete_table(TableName=name)


def connection(endpoint: str) -> dict[str, str]:
    return {
        "endpoint_url": endpoint,
        "region_name": "sa-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with dynamodb_stand_in() as url:
        yield url


@pytest.fixture(params=["memory", "dynamodb"])
async def side(request: pytest.FixtureRequest, endpoint: str) -> AsyncIterator[Side]:
    async with opened_side(request.param, endpoint) as side:
        yield side
