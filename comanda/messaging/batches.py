"""Split and coalesce what goes over the wire: ten entries at most, in natural batches."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
ENTRY_LIMIT = 10
# Nobody waits for a delete, so a few milliseconds cost nothing and save most of the requests.
LINGER_SECONDS = 0.005


def chunks(
    items: Sequence[T], *, size_of: Callable[[T], int] = lambda _: 0, byte_limit: int = 250_000
) -> Iterator[list[T]]:
    """Split into lists of at most ten items and `byte_limit` bytes; an outsized item goes alone."""
    chunk: list[T] = []
    total = 0
    for item in items:
        size = size_of(item)
        if chunk and (len(chunk) == ENTRY_LIMIT or total + size > byte_limit):
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += size
    if chunk:
        yield chunk


class Coalescer(Generic[T]):
    """Send items of many tasks together: ten at once, or what gathered while one lingered."""

    def __init__(
        self, send: Callable[[list[T]], Awaitable[None]], *, linger: float = LINGER_SECONDS
    ) -> None:
        self._send = send
        self._linger = linger
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def add(self, item: T) -> None:
        """Send the item with its neighbours; raise what the sending raised."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((item, done))
        if len(self._waiting) == ENTRY_LIMIT:
            self._flush()
        elif self._timer is None:
            self._timer = loop.call_later(self._linger, self._flush)
        await done

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        task = asyncio.create_task(self._send_batch(batch))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_batch(self, batch: list[tuple[T, asyncio.Future[None]]]) -> None:
        try:
            await self._send([item for item, _ in batch])
        except Exception as exc:  # noqa: BLE001  # Whoever added the item decides what the error means.
            for _, done in batch:
                if not done.done():
                    done.set_exception(exc)
        else:
            for _, done in batch:
                if not done.done():
                    done.set_result(None)
