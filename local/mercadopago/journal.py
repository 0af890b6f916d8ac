"""Remember the last requests and deliveries, for people and tests who look; it is not durable."""

from collections import deque
from typing import Any

from local.mercadopago.schedule import Delivery

MOST_ENTRIES = 1000


class Journal:
    """The last entries, newest last."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=MOST_ENTRIES)

    def add_request(
        self, *, method: str, path: str, status: int, request_id: str, faults: list[str]
    ) -> None:
        """Add what was asked and how it was answered."""
        self._entries.append(
            {
                "what": "request",
                "method": method,
                "path": path,
                "status": status,
                "request_id": request_id,
                "faults": faults,
            }
        )

    def add_delivery(self, delivery: Delivery, *, outcome: int | str) -> None:
        """Add one attempt to deliver; the outcome is a status or an error's name."""
        self._entries.append(
            {
                "what": "delivery",
                "topic": delivery.topic,
                "sale": delivery.sale,
                "attempt": delivery.attempts + 1,
                "outcome": outcome,
            }
        )

    def last(self, limit: int) -> list[dict[str, Any]]:
        """Give the last entries."""
        return list(self._entries)[-limit:] if limit > 0 else []

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
