"""How many messages may be in hand: places that are taken before a message is asked for."""

import asyncio
from collections import deque


class Window:
    """Count free places; whoever finds none waits for its turn."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def free(self) -> int:
        """Give how many places are free."""
        return self._free

    async def take(self, most: int) -> int:
        """Take between 1 and `most` places; wait while none is free."""
        while not self._free:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                # A turn that was given and cannot be used goes to the next in line.
                if turn.done() and not turn.cancelled():
                    self._wake()
                raise
            # Messages finish in batches; one turn of the loop lets the whole batch free its places.
            await asyncio.sleep(0)
        taken = min(self._free, most)
        self._free -= taken
        if self._free:
            self._wake()
        return taken

    def give_back(self, count: int = 1) -> None:
        """Free places."""
        self._free += count
        if count:
            self._wake()

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
