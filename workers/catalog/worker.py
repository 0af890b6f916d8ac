"""The catalog's worker: orders and payments news arrive, stock moves, the catalog's news leaves."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from comanda.clock import utc_now
from comanda.settings import read
from workers.catalog.handlers import HANDLERS
from workers.catalog.reader import PostgresCatalogReader
from workers.catalog.repository import PostgresCatalog
from workers.runtime.aws import sns_publisher
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool
from workers.runtime.service import Worker, WorkerSettings, run_worker


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogWorkerSettings(WorkerSettings):
    """What the catalog's worker reads from its environment besides what every worker does."""

    database_url: str


async def build(stack: AsyncExitStack) -> Worker:
    """Connect what the worker needs; the stack closes it."""
    settings = read(CatalogWorkerSettings)
    publisher = await stack.enter_async_context(sns_publisher(settings.topic_arn))
    pool = await stack.enter_async_context(postgres_pool(settings.database_url))
    units = PostgresUnits(pool, publisher=publisher, clock=utc_now)
    catalog = PostgresCatalog(units)
    return Worker(
        context="catalog",
        settings=settings,
        handlers={event: partial(handle, catalog=catalog) for event, handle in HANDLERS.items()},
        outbox=units,
        probe=PostgresCatalogReader(pool).ping,
    )


if __name__ == "__main__":
    run_worker(build)
