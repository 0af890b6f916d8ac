"""The port to the provider that both of its APIs fulfil: `orders_api` and `payments_api`.

Bytes are written by one method and sent by another, so that a caller stores them in between.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from comanda.mercadopago.values import Flavour, ProviderOrder, ProviderRefund, SearchPage


class ProviderAPI(Protocol):
    """Five verbs in the name of one shop; all raise the errors of `comanda.mercadopago.errors`."""

    flavour: Flavour

    def create_request(
        self, *, reference: str, amount: Decimal, payer_email: str, now: datetime
    ) -> bytes:
        """Write the bytes that ask for a Pix code."""

    def cancel_request(self) -> bytes:
        """Write the bytes that cancel."""

    def refund_request(self, *, payment_id: str | None, amount: Decimal, is_total: bool) -> bytes:
        """Write the bytes that pay back an amount, or all of it."""

    def create(self, body: bytes, *, key: str) -> ProviderOrder:
        """Ask for a Pix code; the same bytes under the same key make one."""

    def get(self, resource_id: str) -> ProviderOrder:
        """Read by the provider's id; raise `ResourceNotFound`."""

    def cancel(self, resource_id: str, body: bytes, *, key: str) -> ProviderOrder:
        """Cancel what waits; `MercadoPagoRefused` when it does not wait any more."""

    def refund(self, resource_id: str, body: bytes, *, key: str) -> Sequence[ProviderRefund]:
        """Pay back; a refusal may hide a refund that is under way, so look at `refunds`."""

    def refunds(self, resource_id: str) -> Sequence[ProviderRefund]:
        """List the refunds of a resource, those in process too."""

    def search(
        self, *, begin: datetime, end: datetime, page: int, reference: str | None = None
    ) -> SearchPage:
        """List a page (from 0) of what was made within two instants, oldest first."""
