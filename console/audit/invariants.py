"""The five money invariants, each a function that names its offenders."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from comanda.money import ZERO
from console.audit.books import KITCHEN, AuditedCharge, Books, ProviderPaid
from console.audit.stock import stock_faults

NAMES = {
    1: "one order per idempotency key",
    2: "one live charge per order, one provider payment per charge, or a case",
    3: "money in = order total, or refunded, or a case",
    4: "sold + held + left = received, per product",
    5: "nothing moved backwards",
}
_LIVE = frozenset({"CREATING", "UNKNOWN", "WAITING", "PAID", "PARTIALLY_REFUNDED", "DISPUTED"})
_STEPS = {
    None: frozenset({"PENDING_PAYMENT"}),
    "PENDING_PAYMENT": frozenset({"RECEIVED", "PAYMENT_FAILED", "CANCELLED"}),
    "RECEIVED": frozenset({"IN_PREPARATION", "CANCELLED"}),
    # Staff may call an order off until it is handed over, and take a step of the kitchen back.
    "IN_PREPARATION": frozenset({"READY", "RECEIVED", "CANCELLED"}),
    "READY": frozenset({"COMPLETED", "IN_PREPARATION", "CANCELLED"}),
    "COMPLETED": frozenset({"READY"}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Offender:
    """Something that breaks an invariant."""

    invariant: int
    shop: str
    subject: str
    detail: str


def offenders(books: Books) -> list[Offender]:
    """Check all five over one shop."""
    checks = (_keys, _single_charges, _money, stock_faults, _direction)
    return [
        Offender(invariant=number, shop=books.shop, subject=subject, detail=detail)
        for number, check in enumerate(checks, start=1)
        for subject, detail in check(books)
    ]


Found = Iterator[tuple[str, str]]


def _keys(books: Books) -> Found:
    for order_id, times in Counter(claim.order_id for claim in books.claims).items():
        if times > 1:
            yield order_id, f"{times} idempotency keys made it"
    for claim in books.claims:
        if claim.is_answered and claim.order_id not in books.orders:
            yield claim.order_id, f"key {claim.key} was answered with an order that is not there"


def _single_charges(books: Books) -> Found:
    live = Counter(charge.order_id for charge in books.charges if charge.status in _LIVE)
    for order_id, count in live.items():
        if count > 1 and not books.has_case(order_id=order_id):
            yield order_id, f"{count} live charges"
    by_reference: dict[str, list[ProviderPaid]] = defaultdict(list)
    for paid in books.paid:
        by_reference[paid.reference].append(paid)
    for charge in books.charges:
        extra = [p for p in by_reference[charge.id] if p.id != charge.provider_id]
        for paid in extra:
            is_known = paid.id in charge.strays
            if not is_known and not books.has_case(order_id=charge.order_id, subject=paid.id):
                yield charge.order_id, f"payment {paid.id} of {paid.paid} is a second one"


def _money(books: Books) -> Found:
    yield from _provider_money(books)
    for charge in books.charges:
        fault = _charge_fault(charge, books)
        if fault and not books.has_case(order_id=charge.order_id):
            yield charge.order_id, fault
    charged = {charge.order_id for charge in books.charges if charge.charged > ZERO}
    for order in books.orders.values():
        if order.status in KITCHEN and order.id not in charged:
            yield order.id, f"it is {order.status}, and no money came for it"


def _provider_money(books: Books) -> Found:
    charges = {charge.id: charge for charge in books.charges}
    # What we made may come back under another's reference; then its own id tells whose it is.
    made = {charge.provider_id: charge for charge in books.charges if charge.provider_id}
    for paid in books.paid:
        charge = charges.get(paid.reference) or made.get(paid.id)
        order_id = charge.order_id if charge else None
        fault = _fault_of_payment(paid, charge)
        if fault and not books.has_case(order_id=order_id, subject=paid.id):
            yield order_id or paid.id, fault
    told = {paid.id for paid in books.paid}
    for charge in books.charges if books.is_whole else ():
        if charge.charged > ZERO and charge.provider_id not in told:
            yield charge.order_id, f"{charge.charged} came by our books, by the provider's nothing"


def _fault_of_payment(paid: ProviderPaid, charge: AuditedCharge | None) -> str | None:
    if charge is None:
        is_gone = paid.paid <= paid.refunded
        return (
            None if is_gone else f"{paid.paid} paid for {paid.reference!r}, of which nobody knows"
        )
    booked = (charge.charged, charge.refunded)
    if paid.id != charge.provider_id:
        booked = charge.strays.get(paid.id, (ZERO, ZERO))
    # What came and went unseen owes nobody anything.
    is_over = paid.paid == paid.refunded and booked[0] == booked[1]
    if is_over or booked == (paid.paid, paid.refunded):
        return None
    told = f"{paid.paid} paid and {paid.refunded} back"
    return f"the provider says {told}, our books {booked[0]}, {booked[1]}"


def _fault_without_order(charge: AuditedCharge) -> str | None:
    """Judge a charge whose order is gone, which only a restore does; given up, it owes nobody."""
    if charge.left == ZERO and charge.status not in _LIVE and not charge.open_attempts:
        return None
    return f"charge {charge.id} is for an order that is not there"


def _charge_fault(charge: AuditedCharge, books: Books) -> str | None:
    for stray, (came, back) in charge.strays.items():
        if came != back:
            return f"second payment {stray}: {came} came, {back} went back"
    order = books.orders.get(charge.order_id)
    if order is None:
        return _fault_without_order(charge)
    if charge.left == ZERO or charge.disputed > ZERO:
        return None
    if order.status not in KITCHEN:
        return f"{charge.left} is kept for an order that is {order.status}"
    if charge.amount != order.total:
        return f"{charge.amount} was charged for a total of {order.total}"
    if charge.refunded != order.refunded:
        return f"{charge.refunded} went back, and the order says {order.refunded}"
    return None


def _direction(books: Books) -> Found:
    for order in books.orders.values():
        before: str | None = None
        for status in order.history:
            if status not in _STEPS.get(before, frozenset()):
                yield order.id, f"it went from {before} to {status}"
            before = status
        if before != order.status:
            yield order.id, f"it is {order.status}, and its history ends at {before}"
    for charge in books.charges:
        for is_broken, detail in _contradictions(charge):
            if is_broken:
                yield charge.order_id, detail


def _contradictions(charge: AuditedCharge) -> tuple[tuple[bool, str], ...]:
    is_unpaid = charge.status in ("CREATING", "UNKNOWN", "WAITING")
    is_back = charge.status == "REFUNDED"
    return (
        (
            is_unpaid and charge.charged > ZERO,
            f"{charge.charged} came, and its charge is {charge.status}",
        ),
        (
            charge.status == "PAID" and charge.charged != charge.amount,
            f"its charge is PAID with {charge.charged} in the ledger",
        ),
        (is_back and charge.left > ZERO, f"its charge is REFUNDED, and {charge.left} is left"),
        (
            charge.refunded > charge.charged,
            f"{charge.refunded} went back of {charge.charged}",
        ),
    )
