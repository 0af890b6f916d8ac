"""Which calls are made again, how often and after how long: one matrix, by verb and by fault.

Every call of ours may be repeated safely, because a write always carries its idempotency key; the
matrix says where a repetition within the same call is worth the wait. What is not repeated here is
repeated by the message or the schedule that led to the call, with the same bytes and key.
"""

import random
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

LONGEST_PAUSE = 60.0


class Verb(StrEnum):
    """What a call is to the provider."""

    READ = "read"
    SEARCH = "search"
    WRITE = "write"


class Fault(StrEnum):
    """Why a call has no usable answer."""

    UNREACHABLE = "unreachable"  # No connection: the provider has not seen the call.
    DROPPED = "dropped"  # Sent, and the connection ended or timed out: it may have acted.
    THROTTLED = "throttled"  # 429
    BUSY = "busy"  # 423 (another call holds the key) and 424 (a part of theirs failed)
    BROKEN = "broken"  # 5xx
    UNREADABLE = "unreadable"  # 2xx, but not the JSON that was promised.


# How many times a call is made in all. A search is cheap to repeat later and dear to the provider.
TRIES: Mapping[Verb, Mapping[Fault, int]] = {
    Verb.READ: {
        Fault.UNREACHABLE: 4,
        Fault.DROPPED: 3,
        Fault.THROTTLED: 4,
        Fault.BUSY: 3,
        Fault.BROKEN: 4,
        Fault.UNREADABLE: 3,
    },
    Verb.SEARCH: {
        Fault.UNREACHABLE: 2,
        Fault.DROPPED: 1,
        Fault.THROTTLED: 1,
        Fault.BUSY: 2,
        Fault.BROKEN: 2,
        Fault.UNREADABLE: 2,
    },
    Verb.WRITE: {
        Fault.UNREACHABLE: 4,
        Fault.DROPPED: 3,
        Fault.THROTTLED: 4,
        Fault.BUSY: 4,
        Fault.BROKEN: 4,
        Fault.UNREADABLE: 3,
    },
}


def fault_of(status: int) -> Fault | None:
    """Tell which fault a status is; `None` for an answer, be it a refusal."""
    if status == 429:
        return Fault.THROTTLED
    if status in (423, 424):
        return Fault.BUSY
    return Fault.BROKEN if status >= 500 else None


def retry_after(text: str | None) -> timedelta | None:
    """Read `Retry-After` in whole seconds, at most a minute; anything else is no wish."""
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return timedelta(seconds=min(float(text[:9]), LONGEST_PAUSE))


def pause(tries: int, wish: timedelta | None) -> float:
    """Give the seconds until the next try: the provider's wish, or a backoff with full jitter."""
    if wish is not None:
        return wish.total_seconds()
    return random.uniform(0.05, 0.25 * 2**tries)  # noqa: S311  # Jitter keeps no secret.
