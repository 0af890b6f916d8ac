"""Where every real that the provider holds is: kept for an order, back, in a case, or nowhere."""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from comanda.money import ZERO, Money
from console.audit.books import KITCHEN, AuditedCharge, Books, ProviderPaid


class Place(StrEnum):
    """Where money is that came."""

    KEPT = "kept for an order of the kitchen"
    BACK = "paid back"
    CASE = "in a case with a name"
    NOWHERE = "unaccounted for"


def places_of(shops: Iterable[Books]) -> Mapping[Place, Money]:
    """Add up the provider's payments by the place where they are."""
    cents = Counter[Place]()
    for books in shops:
        charges = {charge.id: charge for charge in books.charges}
        # As in the audit: what we made may come back under another's reference.
        made = {charge.provider_id: charge for charge in books.charges if charge.provider_id}
        for paid in books.paid:
            back = min(paid.refunded, paid.paid)
            cents[Place.BACK] += back.cents
            left = paid.paid - back
            if left > ZERO:
                charge = charges.get(paid.reference) or made.get(paid.id)
                cents[_place_of(paid, left=left, charge=charge, books=books)] += left.cents
    return {place: Money(cents[place]) for place in Place}


def _place_of(
    paid: ProviderPaid, *, left: Money, charge: AuditedCharge | None, books: Books
) -> Place:
    if books.has_case(order_id=charge.order_id if charge else None, subject=paid.id):
        return Place.CASE
    if charge is None or paid.id != charge.provider_id or charge.left != left:
        return Place.NOWHERE
    order = books.orders.get(charge.order_id)
    is_kept = order is not None and order.status in KITCHEN and order.total == charge.amount
    return Place.KEPT if is_kept else Place.NOWHERE
