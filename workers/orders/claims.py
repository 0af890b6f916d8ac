"""An idempotency key is claimed before the work, so that the same request twice is one order.

A claim names the order that it will become. Whoever takes over the claim of a holder that died
finishes that same order; the holder's mark guards the transaction that completes it, so a slow
holder and its successor can never both write.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from comanda.ids import OrderId, ShopId, new_id

# Much longer than placing takes, and short enough for a customer to try again.
LEASE = timedelta(seconds=5)
LIFETIME = timedelta(hours=24)


class KeyReused(Exception):
    """The key belongs to another request."""


class TwinInFlight(Exception):
    """The same request is being worked on right now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimKey:
    """Whose key it is; two customers may well make up the same one."""

    shop_id: ShopId
    owner: str
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A key, the request that it stands for, and the answer once there is one."""

    key: ClaimKey
    fingerprint: str
    order_id: OrderId
    holder: str
    leased_until: datetime
    expires_at: datetime
    answer: str | None = None

    @classmethod
    def fresh(cls, key: ClaimKey, *, fingerprint: str, now: datetime) -> Self:
        """Make a claim with a new order id."""
        return cls(
            key=key,
            fingerprint=fingerprint,
            order_id=OrderId(new_id(now)),
            holder=secrets.token_hex(8),
            leased_until=now + LEASE,
            expires_at=now + LIFETIME,
        )

    def is_expired(self, *, now: datetime) -> bool:
        """Tell whether the key may be used anew; DynamoDB removes items days after their time."""
        return self.expires_at <= now

    def passed_to(self, wanted: "Claim", *, now: datetime) -> "Claim":
        """Hand the order to a new holder; raise `KeyReused`, or `TwinInFlight` while it is held."""
        if self.fingerprint != wanted.fingerprint:
            raise KeyReused
        if self.leased_until > now:
            raise TwinInFlight
        return replace(self, holder=wanted.holder, leased_until=wanted.leased_until)
