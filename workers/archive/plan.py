"""What `topology.json` says of the archive: how long it keeps, and who can be sent events again."""

from datetime import timedelta
from typing import Any

from comanda.settings import topology


def retention() -> timedelta:
    """Give how long events are kept: the bucket's lifecycle in the topology, for the rows too."""
    bucket: dict[str, Any] = topology()["contexts"]["archive"]["buckets"]["archive"]
    return timedelta(days=bucket["expire_days"])


def listeners() -> dict[str, frozenset[str]]:
    """Give the contexts that can be sent events again, with the types that each subscribes to."""
    return {
        name: frozenset(it["subscribes"])
        for name, it in topology()["contexts"].items()
        if "queue" in it and name != "archive"
    }
