"""The stores of orders under contract: memory, and DynamoDB's protocol against moto."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from comanda.envelope import Envelope
from tests.orders_builders import (
    Clock,
    till,
)
from workers.orders.floor import Store
from workers.orders.model import Order
from workers.orders.placing import Till
from workers.orders.ports import Desk


@dataclass(frozen=True, kw_only=True)
class Side:
    """A store and its surroundings."""

    store: Store
    desk: Desk
    clock: Clock
    published: Callable[[], Awaitable[list[Envelope]]]

    @property
    def till(self) -> Till:
        return till(self.store, desk=self.desk, menus=self.store, clock=self.clock)

    async def read(self, order: Order) -> Order:
        found = await self.store.get(order.shop_id, order.id)
        assert found is not None
        return found


def connection(endpoint: str) -> dict[str, str]:
    return {
        "endpoint_url": endpoint,
        "region_name": "sa-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
