"""A store of the catalog, in memory and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator

import pytest

from local.postgres import running_postgres
from tests.catalog_builders import Store, opened_store
from workers.catalog.migrate import migrate


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("catalog")) as dsn:
        migrate(dsn)
        yield dsn


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    async with opened_store(request) as store:
        yield store
