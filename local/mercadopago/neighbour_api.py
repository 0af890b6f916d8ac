"""Neighbours of the two APIs: legacy in-store codes, merchant orders, chargebacks, the account."""

from datetime import timedelta
from typing import Any

from local.mercadopago import payment_answers
from local.mercadopago.door import Answer, Call
from local.mercadopago.errors import Refused
from local.mercadopago.opening import Wanted
from local.mercadopago.payment_requests import read_store_order
from local.mercadopago.provider import Provider
from local.mercadopago.sales import Api
from local.mercadopago.store import Store

_EXPIRY = timedelta(minutes=15)


class NeighbourAPI:
    """Answer what is neither an order nor a payment."""

    def __init__(self, *, provider: Provider, store: Store) -> None:
        self._provider = provider
        self._store = store

    def create_store_code(self, call: Call) -> Answer:
        """Make a legacy in-store order with a dynamic code."""
        if call.path["user"] != call.application.user_id:
            raise Refused(403, 4, "this collector is another's")
        amount, reference = read_store_order(call.raw)
        wanted = Wanted(
            api=Api.PAYMENTS, kind="qr", amount=amount, reference=reference, expiry=_EXPIRY
        )
        sale = self._provider.open(wanted, call.application)
        content = {"qr_data": sale.pix_code, "in_store_order_id": sale.number}
        return Answer(status=201, content=content, sale_id=sale.id)

    def merchant_order(self, call: Call) -> Answer:
        """Read a sale as the legacy API shows it."""
        sale = self._provider.find(call.path["id"], shop=call.application.shop)
        if sale is None:
            raise Refused(404, 2000, "merchant order not found")
        content = payment_answers.merchant_order(sale, call.application)
        return Answer(status=200, content=content)

    def chargeback(self, call: Call) -> Answer:
        """Read a chargeback."""
        sale = self._store.find_by_dispute(call.path["id"])
        if sale is not None and sale.shop == call.application.shop:
            for dispute in sale.disputes:
                if dispute.id == call.path["id"] and dispute.kind == "chargeback":
                    content = payment_answers.chargeback(sale, dispute)
                    return Answer(status=200, content=content)
        raise Refused(404, 2000, "chargeback not found")

    def account(self, call: Call) -> Answer:
        """Read whose token this is."""
        content: dict[str, Any] = {
            "id": int(call.application.user_id),
            "nickname": call.application.merchant,
            "site_id": "MLB",
            "country_id": "BR",
        }
        return Answer(status=200, content=content)

    def payment_methods(self, call: Call) -> Answer:
        """List the methods that are played here."""
        del call
        method = {
            "id": "pix",
            "name": "PIX",
            "payment_type_id": "bank_transfer",
            "status": "active",
            "min_allowed_amount": 0.01,
            "max_allowed_amount": 9_999_999_999.99,
        }
        return Answer(status=200, content=[method])
