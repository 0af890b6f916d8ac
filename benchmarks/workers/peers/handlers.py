"""The handlers of the peers: read the event, then nothing, 5 ms of I/O, or a transaction each.

Runs in the peers' environment and imports nothing of ours.
"""

import asyncio
import json
import os
import time
from contextlib import AsyncExitStack

HANDLER = os.environ["BENCH_HANDLER"]
QUEUE_URL = os.environ["BENCH_QUEUE_URL"]
IO_SECONDS = 0.005
INBOX = "INSERT INTO inbox (event_id, handled_at) VALUES (%s, now()) ON CONFLICT DO NOTHING"
EFFECT = "INSERT INTO effect (event_id, order_id) VALUES (%s, %s)"
OUTBOX = "INSERT INTO outbox (event_id, created_at, body) VALUES (%s, now(), %s)"
_pool = None


def handle(text):
    """Handle one message, blocking."""
    event = json.loads(text)
    if HANDLER == "io":
        time.sleep(IO_SECONDS)
    elif HANDLER == "postgres":
        with _threads_pool().connection() as connection:
            if connection.execute(INBOX, (event["id"],)).rowcount:
                connection.execute(EFFECT, (event["id"], event["subject"]))
                connection.execute(OUTBOX, (f"out-{event['id']}", text))


class Handler:
    """Handle messages on a loop."""

    def __init__(self):
        self._stack = AsyncExitStack()
        self._pool = None

    async def __aenter__(self):
        """Open what the handler needs."""
        if HANDLER == "postgres":
            from psycopg_pool import AsyncConnectionPool

            pool = AsyncConnectionPool(os.environ["DATABASE_URL"], min_size=16, open=False)
            self._pool = await self._stack.enter_async_context(pool)
        return self

    async def __aexit__(self, *exc):
        """Close it."""
        await self._stack.aclose()

    async def __call__(self, text):
        """Handle one message."""
        event = json.loads(text)
        if HANDLER == "io":
            await asyncio.sleep(IO_SECONDS)
        elif HANDLER == "postgres":
            async with self._pool.connection() as connection:
                if (await connection.execute(INBOX, (event["id"],))).rowcount:
                    await connection.execute(EFFECT, (event["id"], event["subject"]))
                    await connection.execute(OUTBOX, (f"out-{event['id']}", text))


def _threads_pool():
    global _pool
    if _pool is None:
        from psycopg_pool import ConnectionPool

        _pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=16, max_size=16, open=True)
    return _pool
