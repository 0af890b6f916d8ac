"""Orders that wait for something that will never come, once nothing is on its way any more.

A message that is lost breaks no sum: its order only stays where it is. So when everything is
drained, whoever still waits must wait for its payer, with stock held and a code in hand, and nobody
can pay for what has ended.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from comanda.money import ZERO
from console.audit.books import AuditedCharge, AuditedOrder, Books

_ENDED = frozenset({"PAYMENT_FAILED", "CANCELLED"})
# What a refund settles; any other case tells why there is none.
_LATE = frozenset({"paid_late", "paid_and_cancelled"})
_PAYABLE = frozenset({"CREATING", "UNKNOWN", "WAITING"})


def stuck_orders(books: Books) -> list[str]:
    """Name each order without its money for which something was not done, and what."""
    held = {it.order_id: it.status for it in books.reservations}
    charges: dict[str, list[AuditedCharge]] = defaultdict(list)
    for charge in books.charges:
        charges[charge.order_id].append(charge)
    waiting = [
        f"{order.id} is {order.status}: {missing}"
        for order in books.orders.values()
        if not books.has_case(order_id=order.id)
        for missing in _missing(order, held=held.get(order.id), charges=charges[order.id])
    ]
    return [*waiting, *_kept(books)]


def _kept(books: Books) -> Iterator[str]:
    """Name late money that nobody is paying back; the case that it opens is no excuse for that."""
    known: dict[str | None, set[str]] = defaultdict(set)
    for case in books.cases:
        if case.is_known:
            known[case.order_id].add(case.kind)
    for charge in books.charges:
        is_late = charge.status == "PAID_LATE" and charge.left > ZERO
        if is_late and not charge.open_attempts and not known[charge.order_id] - _LATE:
            yield f"{charge.order_id} was paid late, and {charge.left} is not on its way back"


def _missing(
    order: AuditedOrder, *, held: str | None, charges: Sequence[AuditedCharge]
) -> Iterator[str]:
    if order.status in _ENDED:
        if any(charge.status in _PAYABLE for charge in charges):
            yield "its code can still be paid"
    elif order.status != "PENDING_PAYMENT":
        return
    elif held != "HELD":
        yield f"its stock is {held or 'not set aside'}"
    elif not charges:
        yield "no charge was made"
    elif all(charge.status != "WAITING" for charge in charges):
        yield f"its charge is {charges[0].status}"
    elif not order.has_code:
        yield "its customer never got the code"
