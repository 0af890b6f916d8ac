"""A provider in memory that keeps its promises about keys and bytes, for tests and experiments."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from comanda.ids import ChargeId, ShopId
from comanda.mercadopago.values import Flavour, RefundState
from comanda.money import ZERO, Money
from workers.payments.attempts import Attempt
from workers.payments.memory_refunds import MemoryRefunds
from workers.payments.model import Charge, ProviderFact, ProviderStatus, RefundFact
from workers.payments.provider import (
    FactPage,
    Prepared,
    ProviderKeyReused,
    ProviderRefused,
    ProviderUnavailable,
)

PAGE = 50


@dataclass(kw_only=True, slots=True)
class Faults:
    """What goes wrong: `lost_answers` acts and then says nothing, so many times."""

    is_down: bool = False
    refusal: str | None = None
    lost_answers: int = 0
    refund_refusal: str | None = None
    refund_state: RefundState = RefundState.DONE
    before_answer: Callable[[ProviderFact], Awaitable[None]] | None = None
    before_cancel: Callable[[ProviderFact], None] | None = None


@dataclass(kw_only=True, slots=True)
class Calls:
    """How often each verb was called."""

    creates: int = 0
    fetches: int = 0
    cancels: int = 0
    refunds: int = 0
    keys: list[tuple[str, bytes]] = field(default_factory=list)


class InMemoryProvider:
    """Answer like Mercado Pago's Orders API; `faults` make it fail."""

    def __init__(self, *, clock: Callable[[], datetime], receiver: str = "seller-1") -> None:
        self._clock = clock
        self._receiver = receiver
        self._requests: dict[tuple[ShopId, str], bytes] = {}
        self._owners: dict[str, ShopId] = {}
        self._refunds = MemoryRefunds()
        self.orders: dict[str, ProviderFact] = {}
        self.faults = Faults()
        self.calls = Calls()

    async def prepare(
        self, charge_id: ChargeId, *, shop_id: ShopId, amount: Money, payer_email: str | None
    ) -> Prepared:
        """Write bytes that differ when anything in them does."""
        payer = payer_email or f"pix@{shop_id}.example"
        text = f"{charge_id} {amount} {payer}"
        return Prepared(receiver=self._receiver, request=text.encode())

    def without_payer(self, charge: Charge) -> bytes:
        """Write the bytes again with the shop's own address in them."""
        assert charge.request is not None  # As in `create`.
        told = charge.request.rpartition(b" ")[0]
        return told + f" pix@{charge.shop_id}.example".encode()

    async def create(self, charge: Charge) -> ProviderFact:
        """Make an order, or give the one that this key made before."""
        self.calls.creates += 1
        self._fail_if_told()
        if self.faults.refusal is not None:
            raise ProviderRefused(self.faults.refusal)
        assert charge.request is not None  # A charge keeps its bytes while they may be sent.
        known = self._requests.setdefault((charge.shop_id, charge.id), charge.request)
        if known != charge.request:
            raise ProviderKeyReused(charge.id)
        self._owners[charge.id] = charge.shop_id
        fact = self.orders.setdefault(charge.id, self._new(charge))
        if self.faults.before_answer is not None:
            await self.faults.before_answer(fact)
        self._lose_if_told()
        return self.orders[charge.id]

    async def fetch(
        self, shop_id: ShopId, resource_id: str, *, flavour: Flavour = Flavour.ORDERS
    ) -> ProviderFact | None:
        """Read an order or a payment; one of another account is not there."""
        self.calls.fetches += 1
        self._fail_if_told()
        for charge_id, fact in self.orders.items():
            is_theirs = self._owners.get(charge_id, shop_id) != shop_id
            if (fact.provider_id, fact.flavour) == (resource_id, flavour) and not is_theirs:
                return replace(self._now(fact), asked_at=self._clock())
        return None

    def request_of(self, attempt: Attempt, *, charge: Charge) -> bytes:
        """Write bytes that differ when anything in them does."""
        return f"{attempt.kind} {charge.provider_id} {attempt.amount}".encode()

    async def cancel(self, attempt: Attempt, *, charge: Charge) -> ProviderFact:
        """Cancel what waits."""
        self.calls.cancels += 1
        self._take_key(attempt)
        if self.faults.before_cancel is not None:
            self.faults.before_cancel(self.orders[charge.id])
        if self.orders[charge.id].status is not ProviderStatus.WAITING:
            raise ProviderRefused("cannot_cancel_order")
        fact = self.change(charge.id, ProviderStatus.CANCELLED)
        self._lose_if_told()
        return replace(fact, asked_at=self._clock())

    async def refund(self, attempt: Attempt, *, charge: Charge) -> Sequence[RefundFact]:
        """Pay back, once per key; with `refund_refusal` it is done and refused all the same."""
        self.calls.refunds += 1
        self._take_key(attempt)
        name = self._name_of(attempt, charge)
        fact = self.orders[name]
        known = self._refunds.by_key(attempt.id)
        amount = attempt.amount or ZERO
        if known is None:
            if amount > self._refunds.left(fact):
                raise ProviderRefused("refund_amount_exceeds")
            self._refunds.add(fact, key=attempt.id, amount=amount, state=self.faults.refund_state)
            self.orders[name] = replace(fact, updated_at=self._clock())
        if self.faults.refund_refusal is not None:
            raise ProviderRefused(self.faults.refund_refusal)
        self._lose_if_told()
        return self._refunds.of(fact.provider_id)

    async def refunds(self, attempt: Attempt, *, charge: Charge) -> Sequence[RefundFact]:
        """List the refunds of an order or payment."""
        self._fail_if_told()
        return self._refunds.of(self.orders[self._name_of(attempt, charge)].provider_id)

    async def search(
        self,
        shop_id: ShopId,
        *,
        flavour: Flavour,
        window: tuple[datetime, datetime],  # noqa: ARG002  # Facts hold no such instant.
        page: int,
    ) -> FactPage:
        """List all that was made."""
        self._fail_if_told()
        found = [
            replace(self._now(fact), asked_at=self._clock())
            for name, fact in self.orders.items()
            if fact.flavour is flavour and self._owners.get(name, shop_id) == shop_id
        ]
        part = found[page * PAGE : (page + 1) * PAGE]
        return FactPage(facts=tuple(part), is_last=len(part) < PAGE)

    def change(self, charge_id: ChargeId, status: ProviderStatus) -> ProviderFact:
        """Let the customer pay, or let time run out."""
        fact = self.orders[charge_id]
        paid = fact.amount if status is ProviderStatus.PAID else fact.paid
        changed = replace(fact, status=status, paid=paid, updated_at=self._clock())
        self.orders[charge_id] = changed
        return changed

    def pay_again(self, charge_id: ChargeId, *, number: str = "900000001") -> ProviderFact:
        """Let a second payment arrive under the same reference."""
        first = self.orders[charge_id]
        second = replace(
            first,
            provider_id=number,
            flavour=Flavour.PAYMENTS,
            payment_id=None,
            numbers=frozenset(),
            status=ProviderStatus.PAID,
            paid=first.amount,
            updated_at=self._clock(),
        )
        self._owners[number] = self._owners[charge_id]
        self.orders[number] = second
        return second

    def refund_from_panel(self, charge_id: ChargeId, amount: Money) -> None:
        """Let the shop's people pay back in the provider's own panel."""
        fact = replace(self.orders[charge_id], updated_at=self._clock())
        self._refunds.add(fact, key="panel", amount=amount, state=RefundState.DONE)
        self.orders[charge_id] = fact

    def stranger(self, provider_id: str, *, amount: str = "9.90") -> ProviderFact:
        """Make a paid order that has nothing to do with us; the caller puts it among the orders."""
        now, paid = self._clock(), Money.parse(amount)
        return ProviderFact(
            provider_id=provider_id,
            reference="theirs",
            receiver=self._receiver,
            currency="BRL",
            method="pix",
            status=ProviderStatus.PAID,
            amount=paid,
            paid=paid,
            updated_at=now,
            asked_at=now,
        )

    def finish_refunds(self, state: RefundState) -> None:
        """Let all refunds in process come to their end."""
        self._refunds.finish(state)
        for name, fact in self.orders.items():
            self.orders[name] = replace(fact, updated_at=self._clock())

    def _name_of(self, attempt: Attempt, charge: Charge) -> str:
        return attempt.resource_id or charge.id

    def _now(self, fact: ProviderFact) -> ProviderFact:
        return self._refunds.applied(fact)

    def _take_key(self, attempt: Attempt) -> None:
        self._fail_if_told()
        assert attempt.request is not None  # The bytes are stored before the first call.
        known = self._requests.setdefault((attempt.shop_id, attempt.id), attempt.request)
        if known != attempt.request:
            raise ProviderRefused("idempotency_key_already_used")
        self.calls.keys.append((attempt.id, attempt.request))

    def _new(self, charge: Charge) -> ProviderFact:
        now = self._clock()
        number = len(self.orders) + 1
        return ProviderFact(
            provider_id=f"ORD{number:026d}",
            reference=charge.id,
            receiver=self._receiver,
            currency="BRL",
            method="pix",
            status=ProviderStatus.WAITING,
            amount=charge.amount,
            paid=ZERO,
            updated_at=now,
            asked_at=now,
            pix_code=f"00020126-{charge.id}",
            expires_at=now + timedelta(minutes=30),
            payment_id=f"PAY{number:026d}",
            numbers=frozenset({f"PAY{number:026d}", f"{700000000 + number}"}),
        )

    def _fail_if_told(self) -> None:
        if self.faults.is_down:
            raise ProviderUnavailable("the provider is down")

    def _lose_if_told(self) -> None:
        if self.faults.lost_answers > 0:
            self.faults.lost_answers -= 1
            raise ProviderUnavailable("the connection ended after the provider had acted")
