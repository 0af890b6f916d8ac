"""Locks by key, which exist only while somebody holds or awaits them."""

import asyncio
from collections import deque
from types import TracebackType

Turn = asyncio.Future[None]


class KeyedLocks:
    """Let tasks with the same key run one after the other, in the order of their arrival."""

    def __init__(self) -> None:
        # A key that is held; and behind it, those who wait for it.
        self._held: dict[str, deque[Turn]] = {}

    def hold(self, key: str) -> "Hold":
        """Hold the lock of one key: `async with locks.hold(key):`."""
        return Hold(self._held, key)

    def __len__(self) -> int:
        return len(self._held)


class Hold:
    """One task's hold of one key."""

    __slots__ = ("_held", "_key")

    def __init__(self, held: dict[str, deque[Turn]], key: str) -> None:
        self._held = held
        self._key = key

    async def __aenter__(self) -> None:
        waiting = self._held.get(self._key)
        if waiting is None:
            self._held[self._key] = deque()
            return
        turn: Turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # It was our turn, and we cannot take it.
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        waiting = self._held[self._key]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._held[self._key]
