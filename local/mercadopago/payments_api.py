"""The Payments API: create, read, search, cancel, and refunds as resources of their own."""

import re
from collections.abc import Iterator
from typing import Any

from local.mercadopago import payment_answers, search
from local.mercadopago.door import Answer, Call
from local.mercadopago.errors import Refused
from local.mercadopago.payment_requests import read_cancellation, read_payment, read_refund
from local.mercadopago.provider import Provider
from local.mercadopago.refunds import RefundRefused, Refunds
from local.mercadopago.sales import OPEN, Sale
from local.mercadopago.settings import Settings
from local.mercadopago.store import Store

_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_REFUSALS = {
    "already_refunded": (400, 3005, "the payment is refunded already"),
    "wrong_state": (400, 3005, "the resource is in a state that does not allow this"),
    "too_old": (400, 3005, "refunds are possible within 180 days"),
    "in_process": (409, 3005, "a refund is in process"),
    "amount_exceeds": (400, 4037, "the amount exceeds what is left"),
}


class PaymentsAPI:
    """Answer calls under `/v1/payments`."""

    def __init__(
        self, *, provider: Provider, refunds: Refunds, store: Store, settings: Settings
    ) -> None:
        self._provider = provider
        self._refunds = refunds
        self._store = store
        self._settings = settings

    def create(self, call: Call) -> Answer:
        """Make a payment."""
        wanted = read_payment(
            call.raw,
            switches=self._settings.switches,
            is_test=call.application.is_test,
            now=self._provider.now(),
        )
        return self._show(self._provider.open(wanted, call.application), call, status=201)

    def get(self, call: Call) -> Answer:
        """Read a payment, also one behind an order."""
        return self._show(self._find(call), call)

    def search(self, call: Call) -> Answer:
        """Find payments."""
        question = search.payments_question(
            call.query,
            shop=call.application.shop,
            now=self._provider.now(),
            switches=self._settings.switches,
        )
        found, total = search.ask(self._store, question, is_stale=call.is_stale)
        results = []
        for sale in found:
            fresh = sale if call.is_stale else self._provider.find(sale.id) or sale
            shown = payment_answers.payment(fresh, call.application, is_drawn=False)
            results.append({**shown, "id": sale.number})
        paging = {"total": total, "limit": question.limit, "offset": question.offset}
        return Answer(status=200, content={"paging": paging, "results": results})

    def cancel(self, call: Call) -> Answer:
        """Cancel a payment that waits."""
        read_cancellation(call.raw)
        return self.cancel_by_path(call)

    def cancel_by_path(self, call: Call) -> Answer:
        """Cancel a payment; the path says it all, the body nothing."""
        sale = self._find(call)
        if sale.state not in OPEN:
            raise Refused(400, 3005, "the resource is in a state that does not allow this")
        return self._show(self._provider.cancel(sale), call)

    def refund(self, call: Call) -> Answer:
        """Refund a payment, whole or in part."""
        amount = read_refund(call.raw)
        try:
            done = self._refunds.refund(self._find(call), amount=amount)
        except RefundRefused as exc:
            raise Refused(*_REFUSALS[exc.reason]) from exc
        shown = payment_answers.refund_of_payment(done.sale, done.refund)
        if done.is_hidden and not _wants_in_process(call):
            refused = Refused(400, 3005, "the refund could not be completed")
            return Answer(status=400, content=refused.payment_body, kept=shown)
        return Answer(status=201, content=shown)

    def refunds(self, call: Call) -> Answer:
        """List the refunds of a payment; those in process only for who asks for them."""
        shown = [content for _, content in self._refunds_of(call)]
        return Answer(status=200, content=shown)

    def refund_of(self, call: Call) -> Answer:
        """Read one refund."""
        for refund_id, content in self._refunds_of(call):
            if call.path["refund"] == refund_id:
                return Answer(status=200, content=content)
        raise Refused(404, 2000, "Refund not found")

    def _refunds_of(self, call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
        sale = self._find(call)
        for refund in sale.refunds:
            if refund.status != "in_process" or _wants_in_process(call):
                yield refund.id, payment_answers.refund_of_payment(sale, refund)

    def _find(self, call: Call) -> Sale:
        name = call.path["id"]
        sale = None
        if _ID.fullmatch(name):
            sale = self._provider.find(name, shop=call.application.shop, is_stale=call.is_stale)
        if sale is None:
            raise Refused(404, 2000, "Payment not found")
        return sale

    def _show(self, sale: Sale, call: Call, *, status: int = 200) -> Answer:
        is_drawn = self._settings.switches.always_draw or (
            call.headers.get("X-Render-Image") == "true"
        )
        content = payment_answers.payment(sale, call.application, is_drawn=is_drawn)
        return Answer(status=status, content=content, sale_id=sale.id)


def _wants_in_process(call: Call) -> bool:
    return call.headers.get("X-Render-In-Process-Refunds") == "true"
