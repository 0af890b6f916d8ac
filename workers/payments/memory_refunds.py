"""The refunds of the provider in memory, and what they make of an order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from comanda.mercadopago.values import RefundState
from comanda.money import ZERO, Money
from workers.payments.model import ProviderFact, ProviderStatus, RefundFact

_PAID = frozenset({ProviderStatus.PAID, ProviderStatus.PARTIALLY_REFUNDED})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Refund:
    resource_id: str
    key: str
    fact: RefundFact


class MemoryRefunds:
    """Keep refunds by key and by resource."""

    def __init__(self) -> None:
        self._all: list[_Refund] = []

    def by_key(self, key: str) -> RefundFact | None:
        """Give what a key made."""
        return next((refund.fact for refund in self._all if refund.key == key), None)

    def of(self, resource_id: str) -> Sequence[RefundFact]:
        """List the refunds of a resource, oldest first."""
        return [refund.fact for refund in self._all if refund.resource_id == resource_id]

    def add(self, fact: ProviderFact, *, key: str, amount: Money, state: RefundState) -> None:
        """Add a refund."""
        made = RefundFact(id=f"RF{len(self._all) + 1}", amount=amount, state=state)
        self._all.append(_Refund(resource_id=fact.provider_id, key=key, fact=made))

    def finish(self, state: RefundState) -> None:
        """Bring all refunds in process to their end."""
        self._all = [
            replace(r, fact=replace(r.fact, state=state))
            if r.fact.state is RefundState.IN_PROCESS
            else r
            for r in self._all
        ]

    def left(self, fact: ProviderFact) -> Money:
        """Give what may still be refunded; what is in process is spoken for."""
        spoken = self._sum(fact.provider_id, RefundState.DONE, RefundState.IN_PROCESS)
        paid = fact.paid or ZERO
        return paid - min(spoken, paid)

    def applied(self, fact: ProviderFact) -> ProviderFact:
        """Show an order with its refunds."""
        refunded = self._sum(fact.provider_id, RefundState.DONE)
        status = fact.status
        if refunded > ZERO and status in _PAID:
            is_all = refunded >= (fact.paid or ZERO)
            status = ProviderStatus.REFUNDED if is_all else ProviderStatus.PARTIALLY_REFUNDED
        listed = tuple(self.of(fact.provider_id))
        return replace(fact, status=status, refunded=refunded, refunds=listed)

    def _sum(self, resource_id: str, *states: RefundState) -> Money:
        amounts = (
            refund.amount or ZERO for refund in self.of(resource_id) if refund.state in states
        )
        return sum(amounts, ZERO)
