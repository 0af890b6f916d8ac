"""A small budget for what cannot be verified: a token bucket a container."""

import threading
from collections.abc import Callable
from datetime import datetime


class Budget:
    """Allow `size` at once and one more every `seconds`; safe for threads."""

    def __init__(self, *, size: int, seconds: float, clock: Callable[[], datetime]) -> None:
        self._size = size
        self._seconds = seconds
        self._clock = clock
        self._left = float(size)
        self._at = clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one, or tell that nothing is left."""
        with self._lock:
            now = self._clock()
            gained = (now - self._at).total_seconds() / self._seconds
            self._left = min(self._size, self._left + max(0.0, gained))
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True
