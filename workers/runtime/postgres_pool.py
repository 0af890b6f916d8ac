"""The pool of connections of a pod, and what an outage of PostgreSQL looks like."""

import random
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from workers.runtime.errors import Conflict, StoreUnavailable

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


@asynccontextmanager
async def postgres_pool(url: str, *, size: int = 16) -> AsyncIterator[Pool]:
    """Open a pool of up to `size` connections with dictionary rows; close it at the end."""
    pool: Pool = AsyncConnectionPool(
        url,
        min_size=2,
        max_size=size,
        open=False,
        timeout=10,
        connection_class=AsyncConnection[DictRow],
        kwargs={"row_factory": dict_row},
        configure=_configure,
        check=_check,
    )
    async with pool:
        await pool.wait(timeout=30)
        yield pool


@asynccontextmanager
async def reaching_postgres() -> AsyncIterator[None]:
    """Turn outages into `StoreUnavailable` and lost races into `Conflict`."""
    try:
        yield
    except (DeadlockDetected, LockNotAvailable, SerializationFailure) as exc:
        raise Conflict(timedelta(milliseconds=random.randint(20, 200))) from exc  # noqa: S311  # Jitter keeps no secret.
    except (OperationalError, InterfaceError, PoolTimeout) as exc:
        raise StoreUnavailable from exc


async def _configure(connection: AsyncConnection[Any]) -> None:
    """Bound what a process that hangs can hold: its locks end with its session."""
    await connection.execute(
        "SET idle_in_transaction_session_timeout = '30s'; SET statement_timeout = '30s'"
    )
    await connection.commit()


async def _check(connection: AsyncConnection[Any]) -> None:
    """Ask the server only when its socket has news: a restart closes the ones that were idle."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    if poll.poll(0):
        await AsyncConnectionPool.check_connection(connection)
