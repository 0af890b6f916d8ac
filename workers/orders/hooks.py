"""A shop's own systems are told of every change by webhooks, each of which follows the feed.

A webhook has its own place in the feed, so nothing is skipped, each is told in order, and one that
is down holds nobody else up. What is sent follows the Standard Webhooks specification 1.0.0.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, Self

from comanda.ids import ShopId

MOST_HOOKS = 10
LEASE = timedelta(seconds=60)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
# Who does not answer for three days has gone; the owner may enable the webhook again.
GIVEN_UP_AFTER = timedelta(days=3)
LOG_KEPT = timedelta(days=14)
_SECRET_BYTES = 32
_PREFIX = "whsec_"


class TooManyHooks(Exception):
    """A shop has as many webhooks as it may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """Where a shop's system listens, how far in the feed it is, and how it fares."""

    shop_id: ShopId
    id: str
    url: str
    secret: str
    created_at: datetime
    position: str
    is_enabled: bool = True
    failures: int = 0
    failing_since: datetime | None = None
    next_try_at: datetime | None = None

    def is_due(self, *, now: datetime) -> bool:
        """Tell whether it is to be told of what came since."""
        return self.is_enabled and (self.next_try_at is None or self.next_try_at <= now)

    def told(self, position: str) -> Self:
        """Move on: everything up to this position was taken."""
        return replace(self, position=position, failures=0, failing_since=None, next_try_at=None)

    def failed(self, *, now: datetime) -> Self:
        """Wait longer with each failure, and give up in the end."""
        pause = min(FIRST_PAUSE * 2 ** min(self.failures, 16), LONGEST_PAUSE)
        since = self.failing_since or now
        return replace(
            self,
            failures=self.failures + 1,
            failing_since=since,
            next_try_at=now + pause,
            is_enabled=now - since < GIVEN_UP_AFTER,
        )

    def enabled(self) -> Self:
        """Try again from where it stopped."""
        return replace(self, is_enabled=True, failures=0, failing_since=None, next_try_at=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One try: what was sent, and what came back; `status` is missing if nothing did."""

    shop_id: ShopId
    hook_id: str
    entry_id: str
    at: datetime
    attempt: int
    status: int | None
    fault: str
    milliseconds: int

    @property
    def is_taken(self) -> bool:
        """Tell whether the other side took it."""
        return self.status is not None and 200 <= self.status < 300


class Hooks(Protocol):
    """Where webhooks and their deliveries are kept."""

    async def add(self, hook: Hook) -> None:
        """Keep a new webhook; raise `TooManyHooks`."""

    async def all(self, shop_id: ShopId) -> list[Hook]:
        """List the webhooks of a shop, oldest first."""

    async def hold(self, hook: Hook, *, now: datetime) -> bool:
        """Take a webhook for the time of its lease; tell whether it is ours."""

    async def save(self, hook: Hook) -> None:
        """Write how a webhook fares, and end the lease; one that was removed stays removed."""

    async def remove(self, shop_id: ShopId, hook_id: str) -> bool:
        """Forget a webhook; tell whether there was one."""

    async def log(self, delivery: Delivery) -> None:
        """Note a try."""

    async def deliveries(self, shop_id: ShopId, hook_id: str, *, limit: int) -> list[Delivery]:
        """List the last tries, newest first."""


def new_secret() -> str:
    """Make a signing secret."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature(secret: str, *, message_id: str, sent_at: int, body: bytes) -> str:
    """Sign a message; the receiver computes the same over the three, and compares."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = b".".join((message_id.encode(), str(sent_at).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
