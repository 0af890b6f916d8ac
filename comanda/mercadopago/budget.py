"""A budget of calls: a token bucket that many threads may draw from."""

import threading
import time
from collections.abc import Callable


class CallBudget:
    """Allow `rate` calls a second on average and `burst` of them at once."""

    def __init__(
        self, *, rate: float, burst: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("a budget needs a rate above 0 and a burst of at least 1")
        self._rate = rate
        self._burst = burst
        self._monotonic = monotonic
        self._left = burst
        self._seen_at = monotonic()
        self._lock = threading.Lock()

    def draw(self, *, patience: float) -> float:
        """Take one call and say how many seconds to wait before making it.

        If that would be more than `patience`, nothing is taken and the wait is told all the same.
        """
        with self._lock:
            now = self._monotonic()
            self._left = min(self._burst, self._left + (now - self._seen_at) * self._rate)
            self._seen_at = now
            wait = max(0.0, (1 - self._left) / self._rate)
            if wait <= patience:
                # Going below zero is what makes the next caller wait longer than this one.
                self._left -= 1
            return wait
