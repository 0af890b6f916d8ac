"""The two stores of payments as fixtures, for suites that hold both to the same behaviour."""

from collections.abc import AsyncIterator, Iterator

import pytest

from local.postgres import running_postgres
from tests.payments_builders import Counter, memory_counter, postgres_counter
from workers.payments.migrate import migrate


@pytest.fixture(scope="session")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give one server to all suites of a run; each `counter` begins on empty tables."""
    with running_postgres(tmp_path_factory.mktemp("payments")) as dsn:
        migrate(dsn)
        yield dsn


@pytest.fixture(params=["memory", "postgres"])
async def counter(request: pytest.FixtureRequest) -> AsyncIterator[Counter]:
    if request.param == "memory":
        yield memory_counter()
        return
    async with postgres_counter(request.getfixturevalue("dsn")) as counter:
        yield counter
