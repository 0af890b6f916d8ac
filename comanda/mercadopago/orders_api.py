"""The Orders API of Mercado Pago (`/v1/orders`), which is the one that new code should use."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote, urlencode

from comanda.mercadopago.payloads import (
    order_from,
    pix_request,
    read_order,
    read_refunds,
    refund_request,
)
from comanda.mercadopago.reading import UnreadablePayload, objects, read_json
from comanda.mercadopago.retries import Verb
from comanda.mercadopago.transport import Answer, Call, Transport
from comanda.mercadopago.values import Flavour, ProviderOrder, ProviderRefund, SearchPage

PAGE_SIZE = 100


class OrdersAPI:
    """The port on the Orders API."""

    flavour = Flavour.ORDERS

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create_request(
        self,
        *,
        reference: str,
        amount: Decimal,
        payer_email: str,
        now: datetime,  # noqa: ARG002  # This API takes a duration.
    ) -> bytes:
        """Write the bytes that ask for a Pix code."""
        return pix_request(reference=reference, amount=amount, payer_email=payer_email)

    def cancel_request(self) -> bytes:
        """Cancelling has no body."""
        return b""

    def refund_request(self, *, payment_id: str | None, amount: Decimal, is_total: bool) -> bytes:
        """Name payment and amount, unless it is all; the empty body is the documented total."""
        return refund_request(payment_id=None if is_total else payment_id, amount=amount)

    def create(self, body: bytes, *, key: str) -> ProviderOrder:
        """Create an order."""
        call = Call(verb=Verb.WRITE, method="POST", path="/v1/orders", body=body, key=key)
        return self._transport.send(call, read=_order)

    def get(self, resource_id: str) -> ProviderOrder:
        """Read an order."""
        call = Call(verb=Verb.READ, method="GET", path=_path(resource_id))
        return self._transport.send(call, read=_order)

    def cancel(self, resource_id: str, body: bytes, *, key: str) -> ProviderOrder:
        """Cancel an order that nobody paid."""
        path = f"{_path(resource_id)}/cancel"
        call = Call(verb=Verb.WRITE, method="POST", path=path, body=body or None, key=key)
        return self._transport.send(call, read=_order)

    def refund(self, resource_id: str, body: bytes, *, key: str) -> Sequence[ProviderRefund]:
        """Refund an order or a part of it."""
        path = f"{_path(resource_id)}/refund"
        call = Call(
            verb=Verb.WRITE,
            method="POST",
            path=path,
            body=body or None,
            key=key,
            headers={"X-Render-In-Process-Refunds": "true"},
        )
        return self._transport.send(call, read=lambda answer: read_refunds(answer.body))

    def refunds(self, resource_id: str) -> Sequence[ProviderRefund]:
        """Read the refunds of an order."""
        return self.get(resource_id).refunds

    def search(
        self, *, begin: datetime, end: datetime, page: int, reference: str | None = None
    ) -> SearchPage:
        """Search by date of creation; both ways of naming a page are sent, for sources differ."""
        query = {
            "begin_date": _date(begin),
            "end_date": _date(end),
            "limit": str(PAGE_SIZE),
            "offset": str(page * PAGE_SIZE),
            "page": str(page + 1),
            "page_size": str(PAGE_SIZE),
            **({"external_reference": reference} if reference else {}),
        }
        call = Call(verb=Verb.SEARCH, method="GET", path=f"/v1/orders?{urlencode(query)}")
        return self._transport.send(call, read=_page)


def _path(resource_id: str) -> str:
    return f"/v1/orders/{quote(resource_id, safe='')}"


def _date(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _order(answer: Answer) -> ProviderOrder:
    return read_order(answer.body, request_id=answer.request_id)


def _page(answer: Answer) -> SearchPage:
    content = read_json(answer.body)
    if not isinstance(content.get("data"), list):
        raise UnreadablePayload("data: a list is needed")
    found = objects(content, "data")
    orders = tuple(order_from(order, request_id=answer.request_id) for order in found)
    return SearchPage(orders=orders, is_last=len(found) < PAGE_SIZE)
