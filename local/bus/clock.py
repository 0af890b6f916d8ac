"""The bus's clock: real until someone advances or freezes it."""

import time
from collections.abc import Callable


class VirtualClock:
    """Give seconds since the epoch; it never goes back."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self._offset = 0.0
        self._frozen_at: float | None = None

    def __call__(self) -> float:
        """Give the bus's now."""
        if self._frozen_at is not None:
            return self._frozen_at
        return self._base() + self._offset

    @property
    def offset(self) -> float:
        """Tell how many seconds the bus is ahead of the machine."""
        return self() - self._base()

    @property
    def is_frozen(self) -> bool:
        """Tell whether only `advance` moves the time."""
        return self._frozen_at is not None

    def advance(self, seconds: float) -> None:
        """Move the time forward; `seconds` is at least 0."""
        if self._frozen_at is not None:
            self._frozen_at += seconds
        else:
            self._offset += seconds

    def freeze(self) -> None:
        """Let the time stand still."""
        self._frozen_at = self()

    def thaw(self) -> None:
        """Let the time run on from where it stands, or from the machine's time if that is later."""
        if self._frozen_at is not None:
            self._offset = max(self._offset, self._frozen_at - self._base())
            self._frozen_at = None
