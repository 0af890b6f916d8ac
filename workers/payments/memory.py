"""Payments in memory: the same promises as PostgreSQL, for tests and experiments."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from comanda.envelope import Envelope, seal
from comanda.events import Event
from comanda.ids import ChargeId, CustomerId, OrderId, ShopId
from comanda.money import ZERO
from workers.payments.model import Case, Charge, ChargeStatus, Entry, Outcome
from workers.payments.ports import Notification, Totals
from workers.runtime.errors import AlreadyHandled

LEASE = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A transition that was asked for and refused."""

    charge_id: ChargeId
    current: ChargeStatus
    asked: ChargeStatus


@dataclass(kw_only=True, slots=True)
class _State:
    charges: dict[ChargeId, Charge] = field(default_factory=dict)
    ledger: list[tuple[Charge, Entry, str]] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    cancelled: dict[tuple[ShopId, OrderId], datetime] = field(default_factory=dict)
    payers: dict[tuple[ShopId, CustomerId], str | None] = field(default_factory=dict)
    inbox: set[str] = field(default_factory=set)
    published: list[Envelope] = field(default_factory=list)

    def copy(self) -> "_State":
        return _State(
            charges=dict(self.charges),
            ledger=list(self.ledger),
            cases=list(self.cases),
            refusals=list(self.refusals),
            notifications=list(self.notifications),
            cancelled=dict(self.cancelled),
            payers=dict(self.payers),
            inbox=set(self.inbox),
            published=list(self.published),
        )

    def charge(self, charge: Charge) -> Charge:
        """Show a charge with what is known of its order."""
        at = self.cancelled.get((charge.shop_id, charge.order_id))
        return replace(charge, order_cancelled_at=charge.order_cancelled_at or at)


class InMemoryPaymentsUnit:
    """Work on a copy, which replaces the state at the end or never."""

    def __init__(self, state: _State, *, now: datetime, cause: Envelope | None) -> None:
        self._state = state
        self._cause = cause
        self.now = now

    async def open(self, charge: Charge) -> Charge | None:
        """Insert unless the order has a charge or is cancelled."""
        existing = await self.lock_of_order(charge.shop_id, charge.order_id)
        if existing is not None:
            return existing
        if (charge.shop_id, charge.order_id) in self._state.cancelled:
            return None
        self._state.charges[charge.id] = charge
        return charge

    async def lock(self, shop_id: ShopId, charge_id: ChargeId) -> Charge | None:
        """Read a charge; the whole store is locked already."""
        charge = self._state.charges.get(charge_id)
        return self._state.charge(charge) if charge and charge.shop_id == shop_id else None

    async def lock_of_order(self, shop_id: ShopId, order_id: OrderId) -> Charge | None:
        """Read the charge of an order."""
        wanted = (shop_id, order_id)
        found = (c for c in self._state.charges.values() if (c.shop_id, c.order_id) == wanted)
        return next((self._state.charge(charge) for charge in found), None)

    async def save(self, outcome: Outcome, *, source: str) -> None:
        """Save all of an outcome."""
        charge = outcome.charge
        self._state.charges[charge.id] = charge
        if outcome.entry is not None:
            self._state.ledger.append((charge, outcome.entry, source))
        if outcome.case is not None:
            await self.open_case(outcome.case)
        if outcome.refused is not None:
            refusal = Refusal(charge_id=charge.id, current=charge.status, asked=outcome.refused)
            self._state.refusals.append(refusal)
        for event in outcome.events:
            self._emit(event)

    async def open_case(self, case: Case) -> None:
        """Open a case unless the same one is open."""
        same = (case.shop_id, case.kind, case.subject)
        if all((c.shop_id, c.kind, c.subject) != same for c in self._state.cases):
            self._state.cases.append(case)

    async def record(self, notification: Notification) -> None:
        """Write down a notification."""
        self._state.notifications.append(notification)

    async def cancel_order(self, shop_id: ShopId, order_id: OrderId) -> None:
        """Remember that the order is cancelled."""
        self._state.cancelled.setdefault((shop_id, order_id), self.now)

    async def register_payer(self, shop_id: ShopId, customer_id: CustomerId, *, email: str) -> None:
        """Store a payer's address, unless the customer was erased."""
        if self._state.payers.get((shop_id, customer_id), "") is not None:
            self._state.payers[shop_id, customer_id] = email

    async def forget_payer(self, shop_id: ShopId, customer_id: CustomerId) -> None:
        """Forget a payer's address for good."""
        self._state.payers[shop_id, customer_id] = None

    def _emit(self, event: Event) -> None:
        self._state.published.append(seal(event, now=self.now, cause=self._cause))


class InMemoryPayments:
    """The store, its reader and its topic in one; units run one after the other."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._state = _State()
        self._lock = asyncio.Lock()

    @property
    def published(self) -> list[Envelope]:
        """Give what went out."""
        return self._state.published

    @property
    def refusals(self) -> list[Refusal]:
        """Give the transitions that were refused."""
        return self._state.refusals

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[InMemoryPaymentsUnit]:
        """Open a unit of work; raise `AlreadyHandled` when the effect of `cause` is committed."""
        async with self._lock:
            if cause is not None and cause.id in self._state.inbox:
                raise AlreadyHandled(cause.id)
            state = self._state.copy()
            yield InMemoryPaymentsUnit(state, now=self._clock(), cause=cause)
            if cause is not None:
                state.inbox.add(cause.id)
            self._state = state

    async def payer_email(self, shop_id: ShopId, customer_id: CustomerId) -> str | None:
        """Give the address of a customer, if we have it."""
        return self._state.payers.get((shop_id, customer_id))

    async def find(self, shop_id: ShopId, provider_id: str) -> Charge | None:
        """Read the charge of a provider's order."""
        for charge in self._state.charges.values():
            if charge.shop_id == shop_id and charge.provider_id in (
                provider_id,
                provider_id.upper(),
            ):
                return self._state.charge(charge)
        return None

    async def claim_due(self, *, limit: int) -> Sequence[Charge]:
        """Take charges that are due."""
        now = self._clock()
        due = [
            replace(self._state.charge(c), checks=c.checks + 1, next_check_at=now + LEASE)
            for c in self._state.charges.values()
            if c.next_check_at is not None and c.next_check_at <= now
        ][:limit]
        self._state.charges |= {charge.id: charge for charge in due}
        return due

    async def charges(self, shop_id: ShopId, order_id: OrderId) -> Sequence[Charge]:
        """List the charges of an order."""
        wanted = (shop_id, order_id)
        found = self._state.charges.values()
        return [self._state.charge(c) for c in found if (c.shop_id, c.order_id) == wanted]

    async def totals(self, shop_id: ShopId) -> Totals:
        """Add up."""
        counts = Counter(c.status for c in self._state.charges.values() if c.shop_id == shop_id)
        amounts = (e.amount for charge, e, _ in self._state.ledger if charge.shop_id == shop_id)
        return Totals(
            charges=counts.total(),
            by_status=dict(counts),
            paid=sum(amounts, ZERO),
            open_cases=sum(case.shop_id == shop_id for case in self._state.cases),
        )

    async def open_cases(self, shop_id: ShopId, *, limit: int) -> Sequence[Case]:
        """List open cases, oldest first."""
        return [case for case in self._state.cases if case.shop_id == shop_id][:limit]

    async def notifications(self, shop_id: ShopId, resource_id: str) -> Sequence[Notification]:
        """List what the provider said of a resource, oldest first."""
        wanted = (shop_id, resource_id)
        found = [n for n in self._state.notifications if (n.shop_id, n.resource_id) == wanted]
        return sorted(found, key=lambda n: (n.received_at, n.event_id))

    async def ping(self) -> None:
        """Be there."""
