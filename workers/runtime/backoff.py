"""How long to wait before trying again: exponential, capped, with full jitter."""

import random
from datetime import timedelta

_FIRST = 1.0
_LONGEST = 120.0


def backoff(attempt: int, *, jitter: float | None = None) -> timedelta:
    """Give the pause after `attempt` tries (from 1): up to 1, 2, 4 ... 120 s, at random.

    `jitter` (0 to 1) replaces the random draw. Full jitter: AWS Architecture Blog, "Exponential
    Backoff And Jitter".
    """
    ceiling = min(_LONGEST, _FIRST * 2.0 ** min(max(attempt, 1) - 1, 10))
    draw = random.random() if jitter is None else jitter  # noqa: S311  # Jitter keeps no secret.
    # A message hidden for less than a second would be back before anything has changed.
    return timedelta(seconds=max(1.0, ceiling * draw))
