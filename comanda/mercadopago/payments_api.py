"""The Payments API of Mercado Pago (`/v1/payments`): older, still served, chosen by a setting."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote, urlencode

from comanda.mercadopago.payloads import SHORTEST_EXPIRY
from comanda.mercadopago.payment_payloads import (
    CANCEL_REQUEST,
    payment_from,
    payment_refund_request,
    pix_payment_request,
    read_payment,
    read_payment_refund,
    read_payment_refunds,
)
from comanda.mercadopago.reading import UnreadablePayload, objects, read_json
from comanda.mercadopago.retries import Verb
from comanda.mercadopago.transport import Answer, Call, Transport
from comanda.mercadopago.values import Flavour, ProviderOrder, ProviderRefund, SearchPage

PAGE_SIZE = 100
# Without it, a refund that the Central Bank's outage delays looks like a refusal (HTTP 400).
_SHOW_IN_PROCESS = {"X-Render-In-Process-Refunds": "true"}
# An absolute expiry of exactly the minimum would be too short by the time that it is read.
_MARGIN = timedelta(minutes=1)


class PaymentsAPI:
    """The port on the Payments API."""

    flavour = Flavour.PAYMENTS

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create_request(
        self, *, reference: str, amount: Decimal, payer_email: str, now: datetime
    ) -> bytes:
        """Write the bytes that ask for a Pix code; the expiry is an instant in this API."""
        return pix_payment_request(
            reference=reference,
            amount=amount,
            payer_email=payer_email,
            expires_at=now + SHORTEST_EXPIRY + _MARGIN,
        )

    def cancel_request(self) -> bytes:
        """Write the bytes that cancel."""
        return CANCEL_REQUEST

    def refund_request(
        self,
        *,
        payment_id: str | None,  # noqa: ARG002  # The path names the payment.
        amount: Decimal,
        is_total: bool,
    ) -> bytes:
        """Write the amount, unless it is all."""
        return payment_refund_request(amount=None if is_total else amount)

    def create(self, body: bytes, *, key: str) -> ProviderOrder:
        """Create a payment."""
        call = Call(verb=Verb.WRITE, method="POST", path="/v1/payments", body=body, key=key)
        return self._transport.send(call, read=_payment)

    def get(self, resource_id: str) -> ProviderOrder:
        """Read a payment."""
        call = Call(verb=Verb.READ, method="GET", path=_path(resource_id))
        return self._transport.send(call, read=_payment)

    def cancel(self, resource_id: str, body: bytes, *, key: str) -> ProviderOrder:
        """Cancel a payment that nobody made."""
        path = _path(resource_id)
        call = Call(verb=Verb.WRITE, method="PUT", path=path, body=body, key=key)
        return self._transport.send(call, read=_payment)

    def refund(self, resource_id: str, body: bytes, *, key: str) -> Sequence[ProviderRefund]:
        """Refund a payment or a part of it."""
        call = Call(
            verb=Verb.WRITE,
            method="POST",
            path=f"{_path(resource_id)}/refunds",
            body=body,
            key=key,
            headers=_SHOW_IN_PROCESS,
        )
        return self._transport.send(call, read=lambda answer: read_payment_refund(answer.body))

    def refunds(self, resource_id: str) -> Sequence[ProviderRefund]:
        """List the refunds of a payment."""
        path = f"{_path(resource_id)}/refunds"
        call = Call(verb=Verb.READ, method="GET", path=path, headers=_SHOW_IN_PROCESS)
        return self._transport.send(call, read=lambda answer: read_payment_refunds(answer.body))

    def search(
        self, *, begin: datetime, end: datetime, page: int, reference: str | None = None
    ) -> SearchPage:
        """Search by date of creation; `sort`, `criteria` and `range` are required here."""
        query = {
            "sort": "date_created",
            "criteria": "asc",
            "range": "date_created",
            "begin_date": _date(begin),
            "end_date": _date(end),
            "limit": str(PAGE_SIZE),
            "offset": str(page * PAGE_SIZE),
            **({"external_reference": reference} if reference else {}),
        }
        path = f"/v1/payments/search?{urlencode(query)}"
        return self._transport.send(Call(verb=Verb.SEARCH, method="GET", path=path), read=_page)


def _path(resource_id: str) -> str:
    return f"/v1/payments/{quote(resource_id, safe='')}"


def _date(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _payment(answer: Answer) -> ProviderOrder:
    return read_payment(answer.body, request_id=answer.request_id)


def _page(answer: Answer) -> SearchPage:
    content = read_json(answer.body)
    if not isinstance(content.get("results"), list):
        raise UnreadablePayload("results: a list is needed")
    found = objects(content, "results")
    payments = tuple(payment_from(each, request_id=answer.request_id) for each in found)
    return SearchPage(orders=payments, is_last=len(found) < PAGE_SIZE)
