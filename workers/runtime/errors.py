"""The exception that a handler raises is the delivery decision.

Exception
+-- RetryLater              keep the message, hidden for a while
|   +-- Conflict            another writer was first; try again at once
|   +-- StoreUnavailable    keep it in hand and receive no more until the store is back
+-- InvalidMessage          never again: to the dead-letter queue, with the reason
+-- AlreadyHandled          the inbox knows this event: delete the message
"""

import traceback
from datetime import timedelta
from pathlib import Path


class RetryLater(Exception):
    """Keep the message and hide it for `after`, or for the backoff of its receive count."""

    def __init__(self, after: timedelta | None = None) -> None:
        super().__init__(f"retry after {after}" if after else "retry later")
        self.after = after


class Conflict(RetryLater):
    """Another writer changed the aggregate first; nothing of this unit was written."""


class StoreUnavailable(RetryLater):
    """The store is out of reach; whether a write happened is not known."""


class InvalidMessage(Exception):
    """The message can never be handled; it goes to the dead-letter queue with this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AlreadyHandled(Exception):
    """The effect of this event is committed already; there is nothing left to do."""


def place_of(fault: BaseException) -> str:
    """Name a fault by its type and line; its text may hold what nobody else should read."""
    frames = traceback.extract_tb(fault.__traceback__)
    name = type(fault).__name__
    return f"{name} in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else name
