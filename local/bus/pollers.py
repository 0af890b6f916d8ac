"""Long polls of one queue: woken when a message is shown, one poll a message."""

import asyncio
from collections import deque
from collections.abc import Callable

# A timer that fires a hair early would have to be set again.
_LATE = 0.001


class Pollers:
    """Keep those who wait, first come first woken, and one timer for what is hidden."""

    def __init__(self, clock: Callable[[], float], show_due: Callable[[], None]) -> None:
        self._clock = clock
        self._show_due = show_due
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    async def wait(self, seconds: float) -> bool:
        """Wait for a message to be shown, up to `seconds`; tell whether somebody called.

        A message that is shown already calls nobody: look once more before you wait.
        """
        loop = asyncio.get_running_loop()
        poller: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(poller)
        timer = loop.call_later(seconds, _finish, poller)
        self._show_due()
        try:
            return await poller
        except asyncio.CancelledError:
            # Somebody who leaves just as he is called passes the call on.
            if poller.done() and not poller.cancelled():
                self.wake_one()
            raise
        finally:
            timer.cancel()
            if poller in self._waiting:
                self._waiting.remove(poller)
            if not self._waiting:
                self._stop_timer()

    def wake_one(self) -> None:
        """Call the first who waits."""
        while self._waiting:
            poller = self._waiting.popleft()
            if not poller.done():
                poller.set_result(True)
                return

    def wake_all(self) -> None:
        """Call all: the time has jumped."""
        self._stop_timer()
        self._show_due()
        for _ in range(len(self._waiting)):
            self.wake_one()

    def wake_at(self, moment: float) -> None:
        """Look again for hidden messages at `moment`, if somebody waits for them."""
        if not self._waiting or (self._timer is not None and self._timer_at <= moment):
            return
        self._stop_timer()
        loop = asyncio.get_running_loop()
        self._timer_at = moment
        self._timer = loop.call_later(max(0.0, moment - self._clock()) + _LATE, self._look)

    def _look(self) -> None:
        self._timer = None
        self._show_due()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _finish(poller: "asyncio.Future[bool]") -> None:
    if not poller.done():
        poller.set_result(False)
