"""The Orders API: create, read, search, process, cancel and refund."""

import re

from local.mercadopago import order_answers, search
from local.mercadopago.door import Answer, Call
from local.mercadopago.errors import Refused
from local.mercadopago.order_requests import read_order, read_refund
from local.mercadopago.provider import Provider
from local.mercadopago.refunds import RefundRefused, Refunds
from local.mercadopago.sales import Api, Sale, State
from local.mercadopago.settings import Settings
from local.mercadopago.store import Store

_ID = re.compile(r"ORD(TST)?[0-9A-Z]{26}", re.ASCII)
_REFUSALS = {
    "already_refunded": (409, "order_already_refunded"),
    "wrong_state": (409, "cannot_refund_order"),
    "too_old": (409, "cannot_refund_order"),
    "in_process": (409, "order_refund_already_in_process"),
    "amount_exceeds": (400, "refund_amount_exceeds"),
}


class OrdersAPI:
    """Answer calls under `/v1/orders`."""

    def __init__(
        self, *, provider: Provider, refunds: Refunds, store: Store, settings: Settings
    ) -> None:
        self._provider = provider
        self._refunds = refunds
        self._store = store
        self._settings = settings

    def create(self, call: Call) -> Answer:
        """Make an order."""
        wanted = read_order(
            call.raw,
            switches=self._settings.switches,
            is_test=call.application.is_test,
            now=self._provider.now(),
        )
        return self._show(self._provider.open(wanted, call.application), call, status=201)

    def get(self, call: Call) -> Answer:
        """Read an order."""
        return self._show(self._find(call), call)

    def search(self, call: Call) -> Answer:
        """Find orders."""
        question = search.orders_question(call.query, shop=call.application.shop)
        found, total = search.ask(self._store, question, is_stale=call.is_stale)
        shown = [
            order_answers.order(self._fresh(sale, call), call.application, is_drawn=False)
            for sale in found
        ]
        return Answer(status=200, content={"data": shown, "paging": question.paging(total)})

    def process(self, call: Call) -> Answer:
        """Start an order that was made in manual mode."""
        sale = self._find(call)
        if sale.state is not State.CREATED:
            raise Refused(400, "invalid_order_mode_for_operation")
        return self._show(self._provider.process(sale), call)

    def cancel(self, call: Call) -> Answer:
        """Cancel an order that waits."""
        if call.raw.strip() not in (b"", b"{}"):
            raise Refused(400, "unsupported_properties", "cancel takes no body")
        sale = self._find(call)
        if sale.state is State.CANCELLED:
            raise Refused(409, "order_already_canceled")
        if sale.state not in (State.CREATED, State.WAITING):
            raise Refused(409, "cannot_cancel_order")
        return self._show(self._provider.cancel(sale), call)

    def refund(self, call: Call) -> Answer:
        """Refund an order, whole or in part."""
        wanted = read_refund(call.raw)
        sale = self._find(call)
        if wanted is not None and wanted[0] != sale.payment_id:
            raise Refused(400, "invalid_transaction_id")
        try:
            done = self._refunds.refund(sale, amount=None if wanted is None else wanted[1])
        except RefundRefused as exc:
            raise Refused(*_REFUSALS[exc.reason]) from exc
        shown = order_answers.order(done.sale, call.application, is_drawn=False)
        if done.is_hidden and call.headers.get("X-Render-In-Process-Refunds") != "true":
            refused = Refused(400, "failed", "the refund could not be completed")
            return Answer(status=400, content=refused.order_body, kept=shown)
        return Answer(status=201, content=shown)

    def _find(self, call: Call) -> Sale:
        name = call.path["id"]
        if not _ID.fullmatch(name):
            raise Refused(400, "invalid_path_param", "an order's id is ORD and 26 letters")
        sale = self._provider.find(name, shop=call.application.shop, is_stale=call.is_stale)
        if sale is None or sale.api is not Api.ORDERS:
            raise Refused(404, "order_not_found")
        return sale

    def _fresh(self, sale: Sale, call: Call) -> Sale:
        return sale if call.is_stale else self._provider.find(sale.id) or sale

    def _show(self, sale: Sale, call: Call, *, status: int = 200) -> Answer:
        is_drawn = self._settings.switches.always_draw or (
            call.headers.get("X-Render-Image") == "true"
        )
        content = order_answers.order(sale, call.application, is_drawn=is_drawn)
        return Answer(status=status, content=content, sale_id=sale.id)
