"""The time of a process: aware UTC. Whoever needs it is given a clock; this is the default one."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)
