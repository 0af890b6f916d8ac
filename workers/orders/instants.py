"""Instants as text of one width, so that texts sort as instants do."""

from datetime import UTC, datetime


def instant_text(at: datetime) -> str:
    """Write an instant in UTC with microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant_of(text: str) -> datetime:
    """Read what `instant_text` wrote."""
    return datetime.fromisoformat(text)
