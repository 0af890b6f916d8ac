"""All that is held about a customer, across contexts, as one JSON document."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from comanda.ids import CustomerId, ShopId

from .aws import Unavailable
from .profiles import Profiles

_PAGES = 100
_BODY_LIMIT = 4 * 1024 * 1024


class OwnOrders(Protocol):
    """Where a customer's orders are read, with the customer's own token."""

    def of(self, shop_id: ShopId, *, token: str) -> list[dict[str, Any]]:
        """Give all orders; raise `Unavailable`."""


class HttpOwnOrders:
    """Read them page by page from the orders API, which owns them and has no copy elsewhere."""

    def __init__(self, url: str) -> None:
        self._url = url

    def of(self, shop_id: ShopId, *, token: str) -> list[dict[str, Any]]:
        """Give all orders; raise `Unavailable`, for half an export would be a lie."""
        orders: list[dict[str, Any]] = []
        path = f"{self._url}/apis/orders/{shop_id}/orders?limit=100"
        cursor = ""
        for _ in range(_PAGES):
            page = self._read(path + cursor, token=token)
            orders += page["orders"]
            if not page.get("cursor"):
                return orders
            cursor = f"&cursor={page['cursor']}"
        raise Unavailable("a customer with too many orders for one answer")

    def _read(self, url: str, *, token: str) -> dict[str, Any]:
        import urllib3

        timeout = urllib3.Timeout(connect=1.0, read=5.0)
        try:
            with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
                answer = pool.request(
                    "GET", url, headers={"Authorization": f"Bearer {token}"}, redirect=False
                )
            page = json.loads(answer.data[:_BODY_LIMIT]) if answer.status == 200 else None
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as exc:
            raise Unavailable(f"orders: {type(exc).__name__}") from exc
        if not isinstance(page, dict) or not isinstance(page.get("orders"), list):
            raise Unavailable(f"orders answered {answer.status}")
        return page


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """Put the document together; `docs/privacy.md` explains each part of it."""

    profiles: Profiles
    orders: OwnOrders
    clock: Callable[[], datetime]

    def make(self, shop_id: ShopId, customer_id: CustomerId, *, token: str) -> dict[str, Any]:
        """Give everything; raise `NoProfile` or `Unavailable`."""
        now = self.clock()
        profile = self.profiles.read(customer_id)
        return {
            "exported_at": now.astimezone(UTC).isoformat(),
            "shop_id": str(shop_id),
            "identity": profile.document(today=now.date()),
            "keyed_names": {
                "held_for": ["email"] + (["cpf"] if profile.registration.cpf_name else []),
                "purpose": "to find the account at sign-in; they cannot be read back",
            },
            "orders": self.orders.of(shop_id, token=token),
            "payments": {
                "payer_email": profile.person.email,
                "purpose": "the payer of a Pix charge, told to Mercado Pago",
            },
        }
