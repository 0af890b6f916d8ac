"""Orders over HTTP: customers place and follow theirs, the kitchen moves them on.

`POST` places an order in one transaction with its event; everything after that arrives through the
worker, and is read from the store.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, Depends, FastAPI

from comanda.clock import utc_now
from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.ids import ShopId
from comanda.settings import read
from comanda.telemetry import configure_logging
from workers.orders import closing_routes, customer_routes, hook_routes, staff_routes
from workers.orders.desk import DynamoDesk
from workers.orders.floor import Floor
from workers.orders.hook_items import DynamoHooks
from workers.orders.outbound import refuse_loopback_in_production
from workers.orders.repository import DynamoOrderRepository
from workers.orders.table import DynamoTable
from workers.runtime.aws import dynamodb_client, sns_publisher
from workers.runtime.dynamodb import DynamoUnits
from workers.runtime.http import Lifespan, create_api, known_shop, serve


@dataclass(frozen=True, kw_only=True, slots=True)
class OrdersApiSettings:
    """What the API of orders reads from its environment."""

    stage: str
    shops: tuple[ShopId, ...]
    orders_table: str
    topic_arn: str
    http_port: int
    http_host: str = "127.0.0.1"
    webhooks_to_loopback: bool = False


router = APIRouter(prefix="/apis/orders/{shop}", dependencies=[Depends(known_shop)])
router.include_router(customer_routes.router)
router.include_router(staff_routes.router)
router.include_router(closing_routes.router)
router.include_router(hook_routes.router)


def build_app(shops: tuple[ShopId, ...], *, connect: Lifespan) -> FastAPI:
    """Make the app; `connect` sets `floor` and `verifier` on its state."""

    async def probe() -> None:
        await app.state.floor.store.ping()

    app = create_api("orders", probe=probe, lifespan=connect)
    app.state.shops = frozenset(shops)
    app.include_router(router)
    return app


def main() -> None:
    """Serve orders until SIGTERM."""
    configure_logging("orders-api")
    settings = read(OrdersApiSettings)
    identity = read(IdentitySettings)
    refuse_loopback_in_production(
        stage=settings.stage, webhooks_to_loopback=settings.webhooks_to_loopback
    )

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        async with dynamodb_client() as client, sns_publisher(settings.topic_arn) as publisher:
            name = settings.orders_table
            units = DynamoUnits(client, table=name, publisher=publisher, clock=utc_now)
            table = DynamoTable(client, name=name)
            store = DynamoOrderRepository(table, units=units)
            app.state.floor = Floor(
                store,
                desk=DynamoDesk(table),
                hooks=DynamoHooks(table),
                clock=utc_now,
                may_call_loopback=settings.webhooks_to_loopback,
            )
            app.state.verifier = verifier_from(identity)
            yield
            # What the relay cannot publish any more stays in the outbox for the worker's sweep.
            await units.drain()

    app = build_app(settings.shops, connect=connect)
    serve(app, host=settings.http_host, port=settings.http_port)


if __name__ == "__main__":
    main()
