"""A bad deploy must not drain a queue into the dead-letter queue: watch the share of invalid."""

from collections import deque

WINDOW = 100
SMALLEST_SAMPLE = 20


class ValidityWindow:
    """Remember the last hundred verdicts; unsound once more than half of them were `invalid`."""

    def __init__(self) -> None:
        self._verdicts: deque[bool] = deque(maxlen=WINDOW)
        self._is_sound = True

    @property
    def is_sound(self) -> bool:
        """Tell whether consuming may go on; once lost, only a restart brings it back."""
        return self._is_sound

    def record(self, *, is_valid: bool) -> None:
        """Count one verdict."""
        self._verdicts.append(is_valid)
        invalid = self._verdicts.count(False)
        if len(self._verdicts) >= SMALLEST_SAMPLE and invalid * 2 > len(self._verdicts):
            self._is_sound = False
