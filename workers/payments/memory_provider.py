"""A provider in memory: one order per idempotency key, paid or closed when a test says so."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from comanda.ids import ChargeId, ShopId
from comanda.money import ZERO, Money
from workers.payments.model import Charge, ProviderFact, ProviderStatus
from workers.payments.ports import (
    Prepared,
    ProviderKeyReused,
    ProviderRefused,
    ProviderUnavailable,
)


class InMemoryProvider:
    """Answer like Mercado Pago's Orders API; `is_down` and `refusal` make it fail."""

    def __init__(self, *, clock: Callable[[], datetime], receiver: str = "seller-1") -> None:
        self._clock = clock
        self._receiver = receiver
        self._requests: dict[tuple[ShopId, str], bytes] = {}
        self._owners: dict[str, ShopId] = {}
        self.orders: dict[str, ProviderFact] = {}
        self.creates = 0
        self.fetches = 0
        self.is_down = False
        self.refusal: str | None = None
        self.before_answer: Callable[[ProviderFact], Awaitable[None]] | None = None

    async def prepare(
        self, charge_id: ChargeId, *, shop_id: ShopId, amount: Money, payer_email: str | None
    ) -> Prepared:
        """Write bytes that differ when anything in them does."""
        payer = payer_email or f"pix@{shop_id}.example"
        text = f"{charge_id} {amount} {payer}"
        return Prepared(receiver=self._receiver, request=text.encode())

    async def create(self, charge: Charge) -> ProviderFact:
        """Make an order, or give the one that this key made before."""
        self.creates += 1
        self._fail_if_told()
        if self.refusal is not None:
            raise ProviderRefused(self.refusal)
        assert charge.request is not None  # A charge keeps its bytes while they may be sent.
        known = self._requests.setdefault((charge.shop_id, charge.id), charge.request)
        if known != charge.request:
            raise ProviderKeyReused(charge.id)
        self._owners[charge.id] = charge.shop_id
        fact = self.orders.setdefault(charge.id, self._new(charge))
        if self.before_answer is not None:
            await self.before_answer(fact)
        return fact

    async def fetch(self, shop_id: ShopId, provider_id: str) -> ProviderFact | None:
        """Read an order by its id; one of another account is not there."""
        self.fetches += 1
        self._fail_if_told()
        now = self._clock()
        for charge_id, fact in self.orders.items():
            is_theirs = self._owners.get(charge_id, shop_id) != shop_id
            if fact.provider_id == provider_id and not is_theirs:
                return replace(fact, asked_at=now)
        return None

    def change(self, charge_id: ChargeId, status: ProviderStatus) -> ProviderFact:
        """Let the customer pay, or let time run out."""
        fact = self.orders[charge_id]
        paid = fact.amount if status is ProviderStatus.PAID else ZERO
        changed = replace(fact, status=status, paid=paid, updated_at=self._clock())
        self.orders[charge_id] = changed
        return changed

    def _new(self, charge: Charge) -> ProviderFact:
        now = self._clock()
        return ProviderFact(
            provider_id=f"ORD{len(self.orders) + 1:026d}",
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
        )

    def _fail_if_told(self) -> None:
        if self.is_down:
            raise ProviderUnavailable("the provider is down")
