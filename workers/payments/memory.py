"""Payments in memory: the same promises as PostgreSQL, for tests and experiments."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from comanda.envelope import Envelope, seal
from comanda.events import Event
from comanda.ids import ChargeId, CustomerId, OrderId, ShopId
from workers.payments.attempts import Attempt
from workers.payments.cases import Case, Resolution, Settlement
from workers.payments.memory_reader import InMemoryPaymentsReader
from workers.payments.memory_state import Refusal, State
from workers.payments.model import Charge, ChargeStatus, Outcome
from workers.payments.ports import Notification, Sweep
from workers.payments.reports import Repair
from workers.runtime.errors import AlreadyHandled

LEASE = timedelta(seconds=30)


class InMemoryPaymentsUnit:
    """Work on a copy, which replaces the state at the end or never."""

    def __init__(self, state: State, *, now: datetime, cause: Envelope | None) -> None:
        self._state = state
        self._cause = cause
        self.now = now

    async def lock(self, shop_id: ShopId, charge_id: ChargeId) -> Charge | None:
        """Read a charge; the whole store is locked already."""
        charge = self._state.charges.get(charge_id)
        return self._state.charge(charge) if charge and charge.shop_id == shop_id else None

    async def lock_of_order(self, shop_id: ShopId, order_id: OrderId) -> Charge | None:
        """Read the charge of an order."""
        wanted = (shop_id, order_id)
        found = (c for c in self._state.charges.values() if (c.shop_id, c.order_id) == wanted)
        return next((self._state.charge(charge) for charge in found), None)

    async def save(
        self, outcome: Outcome, *, source: str, note: Notification | None = None
    ) -> None:
        """Save all of an outcome."""
        if note is not None:
            await self.record(note)
        charge = outcome.charge
        self._state.charges[charge.id] = charge
        self._state.ledger += [(charge, entry, source) for entry in outcome.entries]
        for case in outcome.cases:
            await self.open_case(case)
        for settlement in outcome.settled:
            await self.settle_case(charge.shop_id, settlement)
        for attempt in outcome.attempts:
            await self.add_attempt(attempt)
        if outcome.refused is not None:
            refusal = Refusal(charge_id=charge.id, current=charge.status, asked=outcome.refused)
            self._state.refusals.append(refusal)
        for event in outcome.events:
            self.emit(event)

    async def save_charge(self, charge: Charge) -> None:
        """Save a charge alone."""
        self._state.charges[charge.id] = charge

    async def open_case(self, case: Case) -> None:
        """Open a case unless the same one is open, or was closed with the same detail."""
        for known in self._state.cases:
            is_same = (known.shop_id, known.kind, known.subject) == (
                case.shop_id,
                case.kind,
                case.subject,
            )
            is_open = known.id not in self._state.closed
            if is_same and (is_open or known.detail == case.detail):
                return
        self._state.cases.append(replace(case, id=len(self._state.cases) + 1))

    async def settle_case(self, shop_id: ShopId, settlement: Settlement) -> None:
        """Close the open case of a kind and subject, if there is one."""
        for case in self._state.open_cases(shop_id):
            if (case.kind, case.subject) == (settlement.kind, settlement.subject):
                await self.resolve_case(
                    shop_id, case.id or 0, Resolution(by="comanda", reason=settlement.reason)
                )

    async def resolve_case(
        self, shop_id: ShopId, case_id: int, resolution: Resolution
    ) -> Case | None:
        """Close an open case and give it."""
        for case in self._state.open_cases(shop_id):
            if case.id == case_id:
                self._state.closed[case_id] = resolution
                return case
        return None

    async def attempts(self, charge_id: ChargeId) -> Sequence[Attempt]:
        """List the attempts of a charge, oldest first."""
        return [a for a in self._state.attempts.values() if a.charge_id == charge_id]

    async def add_attempt(self, attempt: Attempt) -> None:
        """Write down an attempt unless it is there."""
        self._state.attempts.setdefault(attempt.id, attempt)

    async def save_attempt(self, attempt: Attempt) -> None:
        """Save what became of an attempt."""
        self._state.attempts[attempt.id] = attempt

    async def note_repair(self, charge: Charge, *, before: ChargeStatus, source: str) -> None:
        """Write down that asking found what no notification had told."""
        repair = Repair(
            charge_id=charge.id, before=before, after=charge.status, source=source, at=self.now
        )
        self._state.repairs.append((charge.shop_id, repair))

    async def record(self, notification: Notification) -> None:
        """Write down a notification."""
        self._state.notifications.append(notification)

    async def cancel_order(self, shop_id: ShopId, order_id: OrderId) -> None:
        """Remember that the order is cancelled."""
        self._state.cancelled.setdefault((shop_id, order_id), self.now)

    async def register_payer(
        self, shop_id: ShopId, customer_id: CustomerId, *, email: str, told_at: datetime
    ) -> None:
        """Store a payer's address, unless the customer was erased or told of another one since."""
        key = shop_id, customer_id
        is_newest = self._state.payers_told.get(key, told_at) <= told_at
        if self._state.payers.get(key, "") is not None and is_newest:
            self._state.payers[key] = email
            self._state.payers_told[key] = told_at

    async def forget_payer(self, shop_id: ShopId, customer_id: CustomerId) -> None:
        """Forget a payer's address for good."""
        self._state.payers[shop_id, customer_id] = None

    def emit(self, event: Event) -> None:
        """Save an outgoing event."""
        self._state.published.append(seal(event, now=self.now, cause=self._cause))


class InMemoryPayments(InMemoryPaymentsReader):
    """The store, its reader and its topic in one; units run one after the other."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        super().__init__(State())
        self._clock = clock
        self._sweeps: dict[tuple[ShopId, str], tuple[datetime, datetime | None]] = {}
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

    async def open(self, charge: Charge) -> Charge | None:
        """Insert unless the order has a charge or is cancelled."""
        async with self.begin() as unit:
            existing = await unit.lock_of_order(charge.shop_id, charge.order_id)
        if existing is not None:
            return existing
        if (charge.shop_id, charge.order_id) in self._state.cancelled:
            return None
        self._state.charges[charge.id] = charge
        return charge

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

    async def claim_attempts(self, *, limit: int) -> Sequence[Attempt]:
        """Take attempts that are due."""
        now = self._clock()
        due = [
            replace(a, tries=a.tries + 1, next_try_at=now + LEASE)
            for a in self._state.attempts.values()
            if a.next_try_at is not None and a.next_try_at <= now
        ][:limit]
        self._state.attempts |= {attempt.id: attempt for attempt in due}
        return due

    async def charges_of(self, shop_id: ShopId, charge_ids: Sequence[str]) -> Mapping[str, Charge]:
        """Read many charges at once, by id."""
        wanted = set(charge_ids)
        return {
            charge.id: self._state.charge(charge)
            for charge in self._state.charges.values()
            if charge.shop_id == shop_id and charge.id in wanted
        }

    async def claim_sweep(self, shop_id: ShopId, *, name: str, every: timedelta) -> Sweep | None:
        """Take a sweep that is due."""
        now = self._clock()
        next_at, until = self._sweeps.get((shop_id, name), (now, None))
        if next_at > now:
            return None
        self._sweeps[shop_id, name] = (now + every, until)
        return Sweep(shop_id=shop_id, name=name, swept_until=until)

    async def finish_sweep(self, sweep: Sweep, *, until: datetime) -> None:
        """Remember how far a sweep came."""
        next_at, _ = self._sweeps[sweep.shop_id, sweep.name]
        self._sweeps[sweep.shop_id, sweep.name] = (next_at, until)
        self._state.swept[sweep.shop_id, sweep.name] = until

    async def forget_notifications(self, *, before: datetime, limit: int) -> int:
        """Delete the oldest notifications; return how many."""
        old = [n for n in self._state.notifications if n.received_at < before][:limit]
        self._state.notifications = [n for n in self._state.notifications if n not in old]
        return len(old)
