"""The shops' applications at Mercado Pago: who they are, and how their notifications are signed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

MOST_SECRETS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """One shop's application; the first of its secrets signs."""

    shop: str
    access_token: str
    user_id: str
    application_id: str
    webhook_secrets: tuple[str, ...]
    webhook_url: str
    is_test: bool = False

    @property
    def merchant(self) -> str:
        """Give the name that a bank's app shows."""
        return self.shop.replace("-", " ").upper()


class Applications:
    """Find applications by token and by shop."""

    def __init__(self, applications: Sequence[Application]) -> None:
        self._by_shop = {a.shop: a for a in applications}
        self._by_token = {a.access_token: a.shop for a in applications}

    def __iter__(self) -> Iterator[Application]:
        return iter(self._by_shop.values())

    def of_token(self, token: str) -> Application | None:
        """Give the application that has this access token."""
        shop = self._by_token.get(token)
        return None if shop is None else self._by_shop[shop]

    def of_shop(self, shop: str) -> Application | None:
        """Give the application of a shop."""
        return self._by_shop.get(shop)

    def rotate(self, shop: str, secret: str) -> tuple[str, ...]:
        """Sign with a new secret from now on; keep the old ones as history."""
        return self.restore(shop, (secret, *self._by_shop[shop].webhook_secrets)[:MOST_SECRETS])

    def restore(self, shop: str, secrets: Sequence[str]) -> tuple[str, ...]:
        """Take secrets that were rotated before a restart."""
        self._by_shop[shop] = replace(self._by_shop[shop], webhook_secrets=tuple(secrets))
        return self._by_shop[shop].webhook_secrets
