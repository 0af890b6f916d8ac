"""What a payer, a bank, or a shop in the provider's panel does to a sale."""

import json

from aiohttp import web

from local.mercadopago.applications import Application
from local.mercadopago.brcode import InvalidBRCode
from local.mercadopago.clock import utc_text
from local.mercadopago.control_input import Body, Misused, Result, amount_of, flag, only
from local.mercadopago.disputes import OUTCOMES
from local.mercadopago.errors import NotPayable
from local.mercadopago.sales import OPEN, IllegalTransition, Sale, State
from local.mercadopago.system import System

_MOST_TIMES = 1000


class Panel:
    """Act on sales."""

    def __init__(self, system: System) -> None:
        self._system = system

    def pay(self, body: Body) -> Result:
        """Pay in the bank's app; 409 unless it waits."""
        only(body, "pix_code", "id", "amount", "again", "late")
        sale = self._payable(body)
        try:
            paid = self._system.provider.pay(
                sale,
                amount=amount_of(body),
                is_late=flag(body, "late"),
                is_again=flag(body, "again"),
            )
        except NotPayable as exc:
            # The demo asks again after a lost answer, and must learn that it was paid.
            raise web.HTTPConflict(
                text=json.dumps({"error": str(exc), "order_id": exc.sale_id, "state": exc.state}),
                content_type="application/json",
            ) from exc
        return 200, {
            "order_id": paid.id,
            "payment_id": paid.payment_id,
            "amount": str(paid.paid),
            "paid_at": None if paid.paid_at is None else utc_text(paid.paid_at),
        }

    def _payable(self, body: Body) -> Sale:
        if "id" in body:
            return self._sale(body)
        code = body.get("pix_code")
        try:
            sale = self._system.provider.find_by_code(code if isinstance(code, str) else "")
        except InvalidBRCode as exc:
            raise Misused(422, str(exc)) from exc
        if sale is None:
            raise Misused(404, "nobody waits for this code")
        return sale

    def pay_from_outside(self, body: Body) -> Result:
        """Make a payment that Comanda did not ask for."""
        only(body, "shop", "amount", "reference")
        amount = amount_of(body)
        if amount is None:
            raise Misused(422, "amount: text such as 58.80")
        reference = body.get("reference", "")
        if not isinstance(reference, str) or len(reference) > 256:
            raise Misused(422, "reference: text")
        application = self.application(body)
        sale = self._system.provider.add_foreign(application, amount=amount, reference=reference)
        return 201, {"payment_id": sale.number}

    def reject(self, body: Body) -> Result:
        """Let the bank refuse."""
        only(body, "id")
        return _state(self._system.provider.reject(self._sale(body)))

    def expire(self, body: Body) -> Result:
        """Let the time be up."""
        only(body, "id")
        return _state(self._system.provider.expire(self._sale(body), at=self._system.clock.now()))

    def cancel(self, body: Body) -> Result:
        """Cancel in the panel."""
        only(body, "id")
        sale = self._sale(body)
        if sale.state not in OPEN:
            raise IllegalTransition(f"{sale.state} cannot become {State.CANCELLED}")
        return _state(self._system.provider.cancel(sale))

    def refund(self, body: Body) -> Result:
        """Refund in the panel."""
        only(body, "id", "amount")
        done = self._system.refunds.refund(self._sale(body), amount=amount_of(body))
        return 201, {"refund_id": done.refund.id, "status": done.refund.status}

    def dispute(self, body: Body) -> Result:
        """Open a dispute."""
        only(body, "id", "kind")
        if str(body.get("kind")) not in OUTCOMES:
            raise Misused(422, "kind: chargeback or claim")
        dispute = self._system.disputes.open(self._sale(body), kind=body["kind"])
        return 201, {"dispute_id": dispute.id}

    def alert(self, body: Body) -> Result:
        """Warn of fraud."""
        only(body, "id")
        sale = self._sale(body)
        with self._system.database.transaction():
            self._system.announcer.tell_of_fraud(sale)
        return 200, {"id": sale.id}

    def redeliver(self, body: Body) -> Result:
        """Tell of a sale again."""
        only(body, "id", "order_id", "times")
        sale = self._sale({"id": body.get("id", body.get("order_id"))})
        times = body.get("times", 1)
        if type(times) is not int or not 1 <= times <= _MOST_TIMES:
            raise Misused(422, f"times: 1 to {_MOST_TIMES}")
        with self._system.database.transaction():
            for _ in range(times):
                self._system.announcer.tell(sale)
        return 200, {"order_id": sale.id}

    def simulate(self, body: Body) -> Result:
        """Press the panel's test button."""
        only(body, "shop", "id")
        data_id = str(body.get("id", "123456"))[:64]
        application = self.application(body)
        with self._system.database.transaction():
            self._system.announcer.tell_of_test(application, data_id)
        return 200, {"id": data_id}

    def end_dispute(self, dispute_id: str, body: Body) -> Result:
        """End a dispute."""
        only(body, "outcome")
        sale = self._system.store.find_by_dispute(dispute_id)
        if sale is None:
            raise Misused(404, "there is no such dispute")
        outcome = str(body.get("outcome"))
        self._system.disputes.end(sale, dispute_id, outcome=outcome)
        return 200, {"dispute_id": dispute_id, "outcome": outcome}

    def _sale(self, body: Body) -> Sale:
        name = body.get("id")
        sale = self._system.provider.find_any(name) if isinstance(name, str) else None
        if sale is None:
            raise Misused(404, "id: no sale has this id, number, or reference of its own")
        return sale

    def application(self, body: Body) -> Application:
        """Find the shop that is named."""
        found = self._system.applications.of_shop(str(body.get("shop")))
        if found is None:
            shops = ", ".join(application.shop for application in self._system.applications)
            raise Misused(404, f"shop: one of {shops}")
        return found


def _state(sale: Sale) -> Result:
    return 200, {"id": sale.id, "state": sale.state.value}
