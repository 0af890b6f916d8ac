"""What payments asks of the provider, and the three ways in which it says no."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from comanda.ids import ChargeId, ShopId
from comanda.mercadopago.values import Flavour
from comanda.money import Money
from workers.payments.attempts import Attempt
from workers.payments.model import Charge, ProviderFact, RefundFact


class ProviderUnavailable(Exception):
    """The provider gave no usable answer; whether it acted is not known."""

    def __init__(self, detail: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class ProviderRefused(Exception):
    """The provider will not make this charge; asking again would change nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderKeyReused(Exception):
    """The provider knows this idempotency key with another body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """The exact bytes of a request, and whose account the money must reach."""

    receiver: str
    request: bytes
    flavour: Flavour = Flavour.ORDERS


@dataclass(frozen=True, kw_only=True, slots=True)
class FactPage:
    """A page of the provider's own list; `is_last` means that there is nothing behind it."""

    facts: tuple[ProviderFact, ...]
    is_last: bool


class Provider(Protocol):
    """Mercado Pago, as payments sees it; no call is made inside a transaction."""

    async def prepare(
        self, charge_id: ChargeId, *, shop_id: ShopId, amount: Money, payer_email: str | None
    ) -> Prepared:
        """Write the request; without a payer it names the shop's own address."""

    def without_payer(self, charge: Charge) -> bytes:
        """Write the charge's bytes again with the shop's own address for the payer's."""

    async def create(self, charge: Charge) -> ProviderFact:
        """Send the bytes of the charge under its own key; the same key makes one order."""

    async def fetch(
        self, shop_id: ShopId, resource_id: str, *, flavour: Flavour = Flavour.ORDERS
    ) -> ProviderFact | None:
        """Read an order or payment; `None` when it has none of that id."""

    def request_of(self, attempt: Attempt, *, charge: Charge) -> bytes:
        """Write the bytes of an attempt, to be stored before they are sent."""

    async def cancel(self, attempt: Attempt, *, charge: Charge) -> ProviderFact:
        """Send the stored bytes under the attempt's key; raise `ProviderRefused`."""

    async def refund(self, attempt: Attempt, *, charge: Charge) -> Sequence[RefundFact]:
        """Send the stored bytes under the attempt's key and give what the answer lists.

        `ProviderRefused` may hide a refund that is under way: look at `refunds`.
        """

    async def refunds(self, attempt: Attempt, *, charge: Charge) -> Sequence[RefundFact]:
        """List the refunds of what an attempt is about, those in process too."""

    async def search(
        self, shop_id: ShopId, *, flavour: Flavour, window: tuple[datetime, datetime], page: int
    ) -> FactPage:
        """List a page (from 0) of what was made within the window."""
