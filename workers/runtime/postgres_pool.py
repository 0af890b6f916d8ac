"""The pool of connections of a pod, and what an outage of PostgreSQL looks like."""

import asyncio
import os
import random
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from workers.runtime.errors import Conflict, StoreUnavailable
from workers.runtime.postgres_iam import address_maker

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]
# The server itself ends what takes 30 s; whoever is silent for longer is not there.
LONGEST_SILENCE = timedelta(seconds=40)
_CONNECT_SECONDS = 10


@asynccontextmanager
async def postgres_pool(
    url: str, *, size: int = 16, longest_silence: timedelta = LONGEST_SILENCE
) -> AsyncIterator[Pool]:
    """Open a pool of up to `size` connections with dictionary rows; close it at the end.

    A connection whose server says nothing for `longest_silence` is given up, as an outage.
    A `postgresql+iam://` address signs in by a token, a new one for each connection.
    """
    pool: Pool = AsyncConnectionPool(
        address_maker(url),
        min_size=2,
        max_size=size,
        open=False,
        timeout=10,
        connection_class=_impatient(longest_silence),
        kwargs={"row_factory": dict_row, "connect_timeout": _connect_seconds(longest_silence)},
        configure=_configure,
        check=_check,
    )
    async with pool:
        await pool.wait(timeout=30)
        yield pool


def _connect_seconds(longest_silence: timedelta) -> int:
    # psycopg alone would give a server that accepts and says nothing two minutes; two seconds are
    # the least that it knows.
    return max(2, min(_CONNECT_SECONDS, int(longest_silence.total_seconds())))


def _impatient(longest_silence: timedelta) -> type[AsyncConnection[DictRow]]:
    """Make connections that hang up on a server which answers nothing.

    A network that forgets a connection tells neither end, and libpq would wait for ever, or as
    long as the kernel sends again: a quarter of an hour. Its shop's messages would wait with it.
    """
    seconds = longest_silence.total_seconds()

    class Impatient(AsyncConnection[DictRow]):
        async def wait(self, *arguments: Any, **words: Any) -> Any:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(seconds, _hang_up, self)
            try:
                return await super().wait(*arguments, **words)
            finally:
                timer.cancel()

    return Impatient


def _hang_up(connection: AsyncConnection[Any]) -> None:
    # Neither a cancellation nor a close would do: both ask the server, or leave the loop waiting.
    with (
        suppress(OSError, OperationalError),
        socket.socket(fileno=os.dup(connection.pgconn.socket)) as own,
    ):
        own.shutdown(socket.SHUT_RDWR)


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
