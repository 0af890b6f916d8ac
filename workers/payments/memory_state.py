"""What payments in memory knows."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from comanda.envelope import Envelope
from comanda.ids import ChargeId, CustomerId, OrderId, ShopId
from workers.payments.attempts import Attempt
from workers.payments.cases import Case, Resolution
from workers.payments.ledger import Entry, Line
from workers.payments.model import Charge, ChargeStatus
from workers.payments.moves import OURSELVES
from workers.payments.ports import Notification
from workers.payments.reports import Repair


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A transition that was asked for and refused."""

    charge_id: ChargeId
    current: ChargeStatus
    asked: ChargeStatus


@dataclass(kw_only=True, slots=True)
class State:
    """All that the store knows; a unit of work changes a copy."""

    charges: dict[ChargeId, Charge] = field(default_factory=dict)
    ledger: list[tuple[Charge, Entry, str]] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    closed: dict[int, Resolution] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    repairs: list[tuple[ShopId, Repair]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    cancelled: dict[tuple[ShopId, OrderId], datetime] = field(default_factory=dict)
    swept: dict[tuple[ShopId, str], datetime] = field(default_factory=dict)
    payers: dict[tuple[ShopId, CustomerId], str | None] = field(default_factory=dict)
    payers_told: dict[tuple[ShopId, CustomerId], datetime] = field(default_factory=dict)
    inbox: set[str] = field(default_factory=set)
    published: list[Envelope] = field(default_factory=list)

    def copy(self) -> "State":
        """Give a state that can be changed without changing this one."""
        return State(
            charges=dict(self.charges),
            ledger=list(self.ledger),
            cases=list(self.cases),
            closed=dict(self.closed),
            attempts=dict(self.attempts),
            repairs=list(self.repairs),
            refusals=list(self.refusals),
            notifications=list(self.notifications),
            cancelled=dict(self.cancelled),
            payers=dict(self.payers),
            payers_told=dict(self.payers_told),
            swept=dict(self.swept),
            inbox=set(self.inbox),
            published=list(self.published),
        )

    def charge(self, charge: Charge) -> Charge:
        """Show a charge with what is known of its order, and with its ledger."""
        at = self.cancelled.get((charge.shop_id, charge.order_id))
        lines = tuple(
            Line(kind=entry.kind, amount=entry.amount, resource_id=entry.resource_id)
            for owner, entry, _ in self.ledger
            if owner.id == charge.id
        )
        return replace(charge, order_cancelled_at=charge.order_cancelled_at or at, lines=lines)

    def open_cases(self, shop_id: ShopId) -> list[Case]:
        """List the cases of a shop that nobody closed."""
        return [c for c in self.cases if c.shop_id == shop_id and c.id not in self.closed]

    def is_resolved(self, case: Case) -> bool:
        """Tell whether a person closed the case."""
        closed = self.closed.get(case.id or 0)
        return closed is not None and closed.by != OURSELVES
