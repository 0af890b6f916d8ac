"""The catalog over HTTP: the menu for everybody, its making and the stock for staff."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI

from comanda.clock import utc_now
from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.ids import ShopId
from comanda.settings import read
from comanda.telemetry import configure_logging
from workers.catalog import routes_menu, routes_products, routes_shop, routes_stock
from workers.catalog.reader import PostgresCatalogReader
from workers.catalog.repository import PostgresCatalog
from workers.runtime.aws import sns_publisher
from workers.runtime.http import Lifespan, create_api, serve
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool

ROUTERS = (routes_menu.router, routes_products.router, routes_shop.router, routes_stock.router)


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogApiSettings:
    """What the catalog's API reads from its environment."""

    stage: str
    shops: tuple[ShopId, ...]
    database_url: str
    topic_arn: str
    http_port: int
    http_host: str = "127.0.0.1"


def build_app(
    shops: tuple[ShopId, ...], *, connect: Lifespan, clock: Callable[[], datetime] = utc_now
) -> FastAPI:
    """Make the app; `connect` sets `reader`, `catalog` and `verifier` on its state."""

    async def probe() -> None:
        await app.state.reader.ping()

    app = create_api(
        "catalog", probe=probe, lifespan=connect, largest_body=routes_shop.LARGEST_SHEET
    )
    app.state.shops = frozenset(shops)
    app.state.clock = clock
    for router in ROUTERS:
        app.include_router(router)
    return app


def main() -> None:
    """Serve the catalog until SIGTERM."""
    configure_logging("catalog-api")
    settings = read(CatalogApiSettings)
    identity = read(IdentitySettings)

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        async with (
            sns_publisher(settings.topic_arn) as publisher,
            postgres_pool(settings.database_url) as pool,
        ):
            units = PostgresUnits(pool, publisher=publisher, clock=utc_now)
            app.state.reader = PostgresCatalogReader(pool)
            app.state.catalog = PostgresCatalog(units)
            app.state.verifier = verifier_from(identity)
            yield
            await units.drain()

    app = build_app(settings.shops, connect=connect)
    serve(app, host=settings.http_host, port=settings.http_port)


if __name__ == "__main__":
    main()
