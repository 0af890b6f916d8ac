"""Give money back: at once, later, never, or "refused" although it is under way."""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from comanda.money import ZERO, Money
from local.mercadopago.faults import Faults, Strike
from local.mercadopago.provider import Provider
from local.mercadopago.sales import TRANSITIONS, Api, Refund, Sale, State

WINDOW = timedelta(days=180)
FAULTS = ("refund_contingency", "refund_async", "refund_fails")


class RefundRefused(Exception):
    """The money cannot go back; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Refunded:
    """The sale after a refund, the refund, and whether the caller is told that it failed."""

    sale: Sale
    refund: Refund
    is_hidden: bool = False


class Refunds:
    """Refund sales, and follow refunds that are under way."""

    def __init__(self, provider: Provider, *, faults: Faults) -> None:
        self._provider = provider
        self._faults = faults

    def refund(self, sale: Sale, *, amount: Money | None) -> Refunded:
        """Give back all that is left, or an amount; raise `RefundRefused`."""
        now = self._provider.now()
        _check(sale, amount, since=None if sale.paid_at is None else now - sale.paid_at)
        strike = self._strike(sale)
        refund = Refund(
            id=_refund_id(sale),
            amount=amount or sale.refundable,
            status="approved" if strike is None else "in_process",
            created_at=now,
        )
        with self._provider.database.transaction():
            changed = sale.changed(at=now, refunds=(*sale.refunds, refund))
            sale = self._provider.save(_perhaps_empty(changed))
            if strike is not None:
                outcome = "rejected" if strike.kind == "refund_fails" else "approved"
                argument = f"{refund.id} {outcome}"
                self._provider.plan(sale, "refund", seconds=strike.number, argument=argument)
        is_hidden = strike is not None and strike.kind == "refund_contingency"
        return Refunded(sale=sale, refund=refund, is_hidden=is_hidden)

    def finish(self, sale: Sale, *, argument: str) -> None:
        """End a refund that was under way; the argument is its id and its outcome."""
        refund_id, _, outcome = argument.partition(" ")
        refunds = tuple(
            replace(r, status=outcome) if r.id == refund_id and r.status == "in_process" else r
            for r in sale.refunds
        )
        changed = sale.changed(at=self._provider.now(), refunds=refunds)
        self._provider.save(_perhaps_empty(changed))

    def _strike(self, sale: Sale) -> Strike | None:
        if not self._faults:
            return None
        for kind in FAULTS:
            strike = self._faults.strike(kind, shop=sale.shop, reference=sale.reference)
            if strike is not None:
                return strike
        return None


def _check(sale: Sale, amount: Money | None, *, since: timedelta | None) -> None:
    if sale.state is State.REFUNDED:
        raise RefundRefused("already_refunded")
    if sale.state not in (State.PAID, State.IN_MEDIATION) or since is None:
        raise RefundRefused("wrong_state")
    if since > WINDOW:
        raise RefundRefused("too_old")
    if any(refund.status == "in_process" for refund in sale.refunds):
        raise RefundRefused("in_process")
    if amount is not None and not ZERO < amount <= sale.refundable:
        raise RefundRefused("amount_exceeds")


def _perhaps_empty(sale: Sale) -> Sale:
    if sale.refunded != sale.paid or State.REFUNDED not in TRANSITIONS[sale.state]:
        return sale
    return sale.become(State.REFUNDED, at=sale.updated_at)


def _refund_id(sale: Sale) -> str:
    number = secrets.randbelow(9 * 10**9) + 10**9
    return f"REF{number}" if sale.api is Api.ORDERS else str(number)
