"""What the API shows of payments in memory."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from comanda.ids import ChargeId, OrderId, ShopId, earliest_id
from comanda.money import ZERO, Money
from workers.payments.attempts import Attempt, AttemptKind
from workers.payments.cases import Case
from workers.payments.ledger import EntryKind
from workers.payments.memory_state import State
from workers.payments.model import OPEN, Charge, ChargeStatus
from workers.payments.ports import Notification
from workers.payments.reports import (
    AuditRow,
    CaseMark,
    Movements,
    Reconciliation,
    SourcedEntry,
    Totals,
    Window,
)


class InMemoryPaymentsReader:
    """Read the state that is committed."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def charges(self, shop_id: ShopId, order_id: OrderId) -> Sequence[Charge]:
        """List the charges of an order."""
        wanted = (shop_id, order_id)
        found = self._state.charges.values()
        return [self._state.charge(c) for c in found if (c.shop_id, c.order_id) == wanted]

    async def totals(self, shop_id: ShopId) -> Totals:
        """Add up."""
        own = [c for c in self._state.charges.values() if c.shop_id == shop_id]
        counts = Counter(charge.status for charge in own)
        waiting = (c.amount for c in own if c.status is ChargeStatus.WAITING)
        disputed = self._sum(shop_id, EntryKind.DISPUTED)
        return Totals(
            charges=counts.total(),
            by_status=dict(counts),
            paid=self._sum(shop_id, EntryKind.CHARGED),
            open_cases=len(self._state.open_cases(shop_id)),
            refunded=self._sum(shop_id, EntryKind.REFUNDED),
            disputed=disputed - self._sum(shop_id, EntryKind.REGAINED),
            pending=sum(waiting, ZERO),
        )

    async def open_cases(self, shop_id: ShopId, *, limit: int) -> Sequence[Case]:
        """List open cases, oldest first."""
        return self._state.open_cases(shop_id)[:limit]

    async def attempts_of(self, shop_id: ShopId, charge_id: ChargeId) -> Sequence[Attempt]:
        """List the refunds and cancellations of a charge, oldest first."""
        wanted = (shop_id, charge_id)
        found = self._state.attempts.values()
        return [a for a in found if (a.shop_id, a.charge_id) == wanted]

    async def ledger(self, shop_id: ShopId, charge_id: ChargeId) -> Sequence[SourcedEntry]:
        """List the lines of a charge's ledger, oldest first."""
        return [
            SourcedEntry(entry=entry, source=source)
            for charge, entry, source in self._state.ledger
            if (charge.shop_id, charge.id) == (shop_id, charge_id)
        ]

    async def reconciliation(self, shop_id: ShopId, *, since: datetime) -> Reconciliation:
        """Compare our books with the provider's, as far as it was asked."""
        repaired = tuple(r for shop, r in self._state.repairs if shop == shop_id and r.at >= since)
        corrected = {repair.charge_id for repair in repaired}
        own = [
            c
            for c in self._state.charges.values()
            if c.shop_id == shop_id and c.created_at >= since
        ]
        settled = [c for c in own if c.status not in OPEN and c.status is not ChargeStatus.REVIEW]
        refunds = [
            a
            for a in self._state.attempts.values()
            if a.shop_id == shop_id and a.kind is AttemptKind.REFUND and a.is_open
        ]
        return Reconciliation(
            since=since,
            matched=sum(charge.id not in corrected for charge in settled),
            waiting=sum(charge.status in OPEN for charge in own),
            refunding=len(refunds),
            repaired=repaired,
            open_cases=len(self._state.open_cases(shop_id)),
            swept_until={n: at for (s, n), at in self._state.swept.items() if s == shop_id},
        )

    async def audit(self, shop_id: ShopId, *, after: str, limit: int) -> Sequence[AuditRow]:
        """List charges behind an id, in the order of ids."""
        own = sorted(
            (c for c in self._state.charges.values() if c.shop_id == shop_id and c.id > after),
            key=lambda charge: charge.id,
        )
        return [self._audited(charge) for charge in own[:limit]]

    async def charges_of_orders(
        self, shop_id: ShopId, *, window: Window, after: str, limit: int
    ) -> Sequence[AuditRow]:
        """List the charges of orders begun in a window, behind an order's id, in their order."""
        first, last = (earliest_id(at) for at in window)
        own = (c for c in self._state.charges.values() if c.shop_id == shop_id)
        found = [c for c in own if first <= c.order_id < last and c.order_id > after]
        found.sort(key=lambda charge: charge.order_id)
        return [self._audited(charge) for charge in found[:limit]]

    async def movements(self, shop_id: ShopId, *, window: Window) -> Movements:
        """Add up what was booked in a window."""
        since, until = window
        sums: dict[EntryKind, Money] = {}
        for charge, entry, _ in self._state.ledger:
            if charge.shop_id == shop_id and since <= entry.at < until:
                sums[entry.kind] = sums.get(entry.kind, ZERO) + entry.amount
        cases = [c for c in self._state.cases if c.shop_id == shop_id]
        return Movements(
            sums=sums,
            cases_opened=sum(since <= case.opened_at < until for case in cases),
            open_cases=len(self._state.open_cases(shop_id)),
        )

    async def case_marks(self, shop_id: ShopId, *, after: int, limit: int) -> Sequence[CaseMark]:
        """List all cases behind an id, closed ones too."""
        found = [c for c in self._state.cases if c.shop_id == shop_id and (c.id or 0) > after]
        return [
            CaseMark(
                id=case.id or 0,
                kind=case.kind.value,
                subject=case.subject,
                order_id=case.order_id,
                is_open=case.id not in self._state.closed,
                is_resolved=self._state.is_resolved(case),
            )
            for case in found[:limit]
        ]

    async def notifications(self, shop_id: ShopId, resource_id: str) -> Sequence[Notification]:
        """List what the provider said of a resource, oldest first."""
        wanted = (shop_id, resource_id)
        found = [n for n in self._state.notifications if (n.shop_id, n.resource_id) == wanted]
        return sorted(found, key=lambda n: (n.received_at, n.event_id))

    async def ping(self) -> None:
        """Be there."""

    def _audited(self, charge: Charge) -> AuditRow:
        cases = self._state.open_cases(charge.shop_id)
        attempts = self._state.attempts.values()
        return AuditRow(
            charge=self._state.charge(charge),
            open_cases=sum(case.order_id == charge.order_id for case in cases),
            open_attempts=sum(a.is_open for a in attempts if a.charge_id == charge.id),
        )

    def _sum(self, shop_id: ShopId, kind: EntryKind) -> Money:
        lines = ((c, e) for c, e, _ in self._state.ledger if c.shop_id == shop_id)
        return sum((entry.amount for _, entry in lines if entry.kind is kind), ZERO)
