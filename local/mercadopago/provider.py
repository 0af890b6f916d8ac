"""The provider itself: the one place where sales are made and changed, and told of."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from comanda.money import Money
from local.mercadopago import brcode
from local.mercadopago.announcing import Announcer
from local.mercadopago.applications import Application
from local.mercadopago.clock import VirtualClock, instant_at
from local.mercadopago.database import Database
from local.mercadopago.errors import NotPayable
from local.mercadopago.faults import Faults, Strike
from local.mercadopago.opening import Wanted, new_sale, number_in, payment_number
from local.mercadopago.sales import LATE, OPEN, Api, Sale, State
from local.mercadopago.schedule import Appointment, Schedule
from local.mercadopago.store import Store

APPROVAL_SECONDS = 10.0


class Provider:
    """Make, find and change sales."""

    def __init__(
        self,
        *,
        database: Database,
        store: Store,
        schedule: Schedule,
        clock: VirtualClock,
        faults: Faults,
        announcer: Announcer,
    ) -> None:
        self.database = database
        self._store = store
        self._schedule = schedule
        self._clock = clock
        self._faults = faults
        self.announcer = announcer
        self.wake: Callable[[float], None] = lambda _: None

    def now(self) -> datetime:
        """Give the virtual instant."""
        return self._clock.now()

    def open(self, wanted: Wanted, application: Application) -> Sale:
        """Make a sale that waits for its payment."""
        sale = new_sale(wanted, application, now=self.now())
        delay = self._strike("async_creation", sale)
        if delay is not None:
            sale = replace(sale, state=State.PROCESSING)
        with self.database.transaction():
            self._store.insert(sale)
            self._plan(sale, wanted=wanted, delay=delay)
            self.announcer.tell(sale, is_new=True)
        self.wake(sale.expires_at.timestamp())
        return sale

    def add_foreign(self, application: Application, *, amount: Money, reference: str) -> Sale:
        """Make a payment that nobody asked Comanda for; it is paid at once."""
        wanted = Wanted(
            api=Api.PAYMENTS,
            kind="outside",
            amount=amount,
            reference=reference,
            expiry=timedelta(days=1),
        )
        with self.database.transaction():
            sale = self.open(wanted, application)
            return self._arrive(sale, amount=amount, at=self.now())

    def find(self, name: str, *, shop: str | None = None, is_stale: bool = False) -> Sale | None:
        """Find a sale by its id or number, as it is now: what has expired is expired."""
        sale = self._store.find(name, is_stale=is_stale)
        if sale is None or shop not in (None, sale.shop):
            return None
        if sale.state in OPEN and sale.expires_at <= self.now() and not is_stale:
            return self.expire(sale)
        return sale

    def find_any(self, name: str) -> Sale | None:
        """Find a sale by id, number, or by a reference that only one has."""
        found = self.find(name)
        if found is None:
            named = self._store.find_by_reference(name)
            found = self.find(named[0].id) if len(named) == 1 else None
        return found

    def find_by_code(self, code: str) -> Sale | None:
        """Find who waits for this Pix code; raise `InvalidBRCode`."""
        pix = brcode.parse(code)
        number = pix.txid.removeprefix("mpqrinter")
        if pix.url:
            number = number_in(pix.url)
        sale = self.find(number) if number.isdigit() else None
        return sale if sale is not None and sale.pix_code == code else None

    def process(self, sale: Sale) -> Sale:
        """Start what was made in manual mode."""
        return self.save(sale.become(State.WAITING, at=self.now()))

    def pay(
        self,
        sale: Sale,
        *,
        amount: Money | None = None,
        is_late: bool = False,
        is_again: bool = False,
    ) -> Sale:
        """Let money arrive; raise `NotPayable`. A second payment is a sale of its own."""
        with self.database.transaction():
            if sale.state is State.WAITING:
                return self._arrive_perhaps_twice(sale, amount=amount, at=self.now())
            if sale.state in LATE and (is_late or self._strike("late_settlement", sale)):
                return self._arrive(sale, amount=amount, at=self.now())
            if sale.paid_at is not None and is_again:
                return self._second(sale, amount=amount)
            raise NotPayable(sale.id, sale.state.value)

    def reject(self, sale: Sale) -> Sale:
        """Let the bank refuse."""
        return self.save(sale.become(State.REJECTED, at=self.now()))

    def expire(self, sale: Sale, *, at: datetime | None = None) -> Sale:
        """Let the time be up."""
        return self.save(sale.become(State.EXPIRED, at=at or min(self.now(), sale.expires_at)))

    def cancel(self, sale: Sale) -> Sale:
        """Cancel what is still open."""
        return self.save(sale.become(State.CANCELLED, at=self.now()))

    def save(self, sale: Sale) -> Sale:
        """Save a changed sale and tell of it."""
        with self.database.transaction():
            self._store.update(sale)
            self.announcer.tell(sale)
        return sale

    def peek(self, name: str) -> Sale | None:
        """Find a sale as it was last saved, even if its time is up."""
        return self._store.find(name)

    def keep_appointment(self, sale: Sale, appointment: Appointment) -> None:
        """Do what was to happen to a sale by itself, unless something else came first."""
        at = instant_at(appointment.due)
        if appointment.task == "ready" and sale.state is State.PROCESSING:
            self.save(sale.become(State.WAITING, at=at))
        elif appointment.task == "approve" and sale.state is State.WAITING:
            self._arrive_perhaps_twice(sale, amount=None, at=at)
        elif appointment.task == "reject" and sale.state is State.WAITING:
            self.save(sale.become(State.REJECTED, at=at))

    def plan(self, sale: Sale, task: str, *, seconds: float, argument: str = "") -> None:
        """Let something happen to a sale after so many virtual seconds."""
        due = self._clock.seconds() + seconds
        self._schedule.add_appointment(
            Appointment(due=due, task=task, sale=sale.id, argument=argument)
        )
        self.wake(due)

    def _plan(self, sale: Sale, *, wanted: Wanted, delay: Strike | None) -> None:
        if delay is not None:
            self.plan(sale, "ready", seconds=delay.number)
        if wanted.first_name == "APRO":
            self.plan(sale, "approve", seconds=APPROVAL_SECONDS)
        for kind in ("reject", "approve"):
            strike = self._strike(kind, sale)
            if strike is not None:
                self.plan(sale, kind, seconds=strike.number)

    def _arrive_perhaps_twice(self, sale: Sale, *, amount: Money | None, at: datetime) -> Sale:
        paid = self._arrive(sale, amount=amount, at=at)
        if self._strike("paid_twice", paid):
            self._second(paid, amount=None)
        return paid

    def _arrive(self, sale: Sale, *, amount: Money | None, at: datetime) -> Sale:
        distorted = self._distorted(sale)
        received = amount or distorted.amount
        paid = self.save(distorted.become(State.PAID, at=at, paid=received, paid_at=at))
        strike = self._strike("dispute", paid)
        if strike is not None:
            self.plan(paid, "dispute", seconds=0, argument=strike.text)
        return paid

    def _second(self, sale: Sale, *, amount: Money | None) -> Sale:
        now = self.now()
        number = payment_number()
        received = amount or sale.amount
        second = replace(
            sale,
            id=number,
            number=number,
            api=Api.PAYMENTS,
            kind="second",
            state=State.PAID,
            amount=received,
            paid=received,
            paid_at=now,
            created_at=now,
            updated_at=now,
            refunds=(),
            disputes=(),
        )
        with self.database.transaction():
            self._store.insert(second)
            self.announcer.tell(second, is_new=True)
        return second

    def _distorted(self, sale: Sale) -> Sale:
        if not self._faults:
            return sale
        changes: dict[str, Any] = {}
        for name in ("currency", "reference", "receiver"):
            strike = self._strike(f"wrong_{name}", sale)
            if strike is not None:
                changes[name] = strike.text
        strike = self._strike("wrong_amount", sale)
        if strike is not None:
            changes["amount"] = _other_amount(sale.amount, strike)
        return replace(sale, **changes)

    def _strike(self, kind: str, sale: Sale) -> Strike | None:
        if not self._faults:
            return None
        return self._faults.strike(kind, shop=sale.shop, reference=sale.reference)


def _other_amount(amount: Money, strike: Strike) -> Money:
    if strike.value:
        return Money.parse(strike.text)
    return amount - Money(1) if amount > Money(1) else amount + Money(1)
