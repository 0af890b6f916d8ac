"""Notifications as the archive keeps them: what came in, and whether its signature was good."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

TYPES = ("webhooks.notification.received.v1", "webhooks.notification.quarantined.v1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """One notification; `reason` says why it could not be verified, and is empty if it was."""

    event_id: str
    received_at: str
    resource: str
    topic: str
    verdict: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Give what programs want to know."""
        return asdict(self)


def heard(event: Mapping[str, Any]) -> Heard:
    """Read one archived event of these types; what an older version did not tell is empty."""
    data = event["data"]
    return Heard(
        event_id=event["id"],
        received_at=data["received_at"],
        resource=data["resource_id"],
        topic=data["topic"],
        verdict=data.get("verdict", ""),
        reason=data.get("reason", ""),
    )
