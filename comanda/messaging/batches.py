"""Split and coalesce what goes over the wire: ten entries at most, in natural batches."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
ENTRY_LIMIT = 10


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
    """Gather items from many tasks while one call is under way, and send them together."""

    def __init__(self, send: Callable[[list[T]], Awaitable[None]], *, parallel: int = 4) -> None:
        self._send = send
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._free = parallel
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, item: T) -> None:
        """Send the item with its neighbours; raise what the sending raised."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await done

    async def _run(self) -> None:
        try:
            # One turn of the loop lets tasks that finish together travel together.
            await asyncio.sleep(0)
            while self._waiting:
                batch, self._waiting = self._waiting[:ENTRY_LIMIT], self._waiting[ENTRY_LIMIT:]
                await self._send_batch(batch)
        finally:
            self._free += 1

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
