"""The ports of messaging; adapters stand beside this file, fakes in `memory`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from comanda.envelope import Envelope


class MessagingUnavailable(Exception):
    """The topic or queue could not be reached, or would not take everything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A message as it was received; the receipt is good for this receive only.

    `sent_at` and `first_received_at` (aware UTC) are the queue's own account, where it gives one;
    `group` is the shop whose turn it was, empty where the sender named none.
    """

    id: str
    body: str
    receipt: str
    receive_count: int
    attributes: dict[str, str] = field(default_factory=dict)
    sent_at: datetime | None = None
    first_received_at: datetime | None = None
    group: str = ""


class Publisher(Protocol):
    """Put envelopes on the topic of this context."""

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Publish all, in batches of ten; raise `MessagingUnavailable` unless all were taken."""


class Queue(Protocol):
    """The one input queue of a context."""

    async def receive(self, *, limit: int, wait: timedelta) -> list[Message]:
        """Receive up to `limit` (1 to 10) messages, waiting up to `wait` (0 to 20 s)."""

    async def delete(self, messages: Sequence[Message]) -> None:
        """Delete all, in batches of ten; entries that fail are retried, then raise."""

    async def hide(self, message: Message, *, duration: timedelta) -> None:
        """Set how long the message stays hidden (0 to 12 h); 0 hands it back."""

    async def extend(self, messages: Sequence[Message], *, duration: timedelta) -> None:
        """Set the same for many, in batches of ten; a message that cannot be hidden is left."""

    async def reject(self, message: Message, *, reason: str) -> None:
        """Send the message to the dead-letter queue with the reason, then delete it."""
