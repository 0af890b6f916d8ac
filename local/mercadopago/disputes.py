"""Chargebacks and claims: a payer's bank or the payer asks for the money back."""

import secrets
from dataclasses import replace
from datetime import datetime

from comanda.money import ZERO, Money
from local.mercadopago.provider import Provider
from local.mercadopago.sales import Dispute, IllegalTransition, Refund, Sale, State

OUTCOMES = {"chargeback": ("settled", "reimbursed"), "claim": ("closed", "refunded")}


class Disputes:
    """Open disputes and end them."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def open(self, sale: Sale, *, kind: str) -> Dispute:
        """Open a dispute; raise `IllegalTransition` unless there is money to dispute."""
        is_chargeback = kind == "chargeback"
        # The provider's own ids of chargebacks have 18 digits, more than a double holds.
        dispute = Dispute(
            id=str(secrets.randbelow(9 * 10**17) + 10**17 | 1),
            kind=kind,
            stage="in_process" if is_chargeback else "opened",
            created_at=self._provider.now(),
        )
        state = State.CHARGED_BACK if is_chargeback else State.IN_MEDIATION
        disputes = (*sale.disputes, dispute)
        self._save(sale.become(state, at=self._provider.now(), disputes=disputes), dispute)
        return dispute

    def end(self, sale: Sale, dispute_id: str, *, outcome: str) -> None:
        """End a dispute; raise `IllegalTransition` unless it is open and can end like this."""
        dispute = next(d for d in sale.disputes if d.id == dispute_id)
        if dispute.stage not in ("in_process", "opened") or outcome not in OUTCOMES[dispute.kind]:
            raise IllegalTransition(f"a {dispute.kind} that is {dispute.stage}: {outcome}")
        ended = replace(dispute, stage=outcome)
        disputes = tuple(ended if d.id == dispute_id else d for d in sale.disputes)
        at = self._provider.now()
        if outcome == "closed":
            changed = sale.become(State.PAID, at=at, disputes=disputes)
        elif outcome == "refunded":
            refunds = (*sale.refunds, *_remainder(sale, at=at))
            changed = sale.become(State.REFUNDED, at=at, disputes=disputes, refunds=refunds)
        else:
            changed = sale.changed(at=at, disputes=disputes)
        self._save(changed, ended)

    def _save(self, sale: Sale, dispute: Dispute) -> None:
        with self._provider.database.transaction():
            self._provider.save(sale)
            self._provider.announcer.tell_of_dispute(sale, dispute)


def disputed(sale: Sale) -> Money:
    """Give how much a chargeback holds or took."""
    is_gone = any(d.kind == "chargeback" and d.stage != "reimbursed" for d in sale.disputes)
    return sale.paid - sale.refunded if is_gone else ZERO


def _remainder(sale: Sale, *, at: datetime) -> tuple[Refund, ...]:
    if sale.refundable == ZERO:
        return ()
    number = str(secrets.randbelow(9 * 10**9) + 10**9)
    return (Refund(id=number, amount=sale.refundable, status="approved", created_at=at),)
