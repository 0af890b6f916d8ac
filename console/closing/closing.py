"""Add a day up: what was sold, what came and went back, and where the two books differ."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from comanda.money import ZERO, Money
from console.closing.papers import Day, DayCharge, DayOrder, Papers

_HOUR = timedelta(hours=1)


class Why(StrEnum):
    """Why the ledger and the orders differ."""

    PAID_WITHOUT_MONEY = "paid_without_money"
    MONEY_WITHOUT_SALE = "money_without_sale"
    TOO_MUCH = "too_much"
    TOO_LITTLE = "too_little"
    NO_ORDER = "no_order"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """An order of which the ledger keeps something else than the order does."""

    why: Why
    order_id: str
    call_number: int | None
    by_orders: Money
    by_ledger: Money
    has_case: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum:
    """So many, and what they come to."""

    name: str
    count: int
    amount: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """What was sold of a product, whatever its options were."""

    name: str
    quantity: int
    amount: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """A day, closed as far as it is known; amounts are of the day's orders, whenever they moved."""

    day: Day
    is_whole: bool
    orders: tuple[Sum, ...]
    payments: tuple[Sum, ...]
    hours: tuple[Sum, ...]
    products: tuple[Product, ...]
    sold: Money
    charged: Money
    refunded: Money
    disputed: Money
    fees: Money
    fees_unknown: int
    refunding: int
    kept_by_orders: Money
    kept_by_ledger: Money
    differences: tuple[Difference, ...]
    moved: dict[str, Money]
    cases_opened: int
    open_cases: int

    @property
    def net(self) -> Money:
        """Give what stays: less what is disputed, and the fees that are known."""
        taken = self.disputed + self.fees
        return self.kept_by_ledger - min(taken, self.kept_by_ledger)


def close(papers: Papers, *, zone: tzinfo) -> Closing:
    """Add a day up."""
    charges = (*papers.charges, *papers.orphans)
    paid = [charge for charge in charges if charge.charged > ZERO]
    sales = [order for order in papers.orders if order.is_sale]
    moved = papers.moved
    return Closing(
        day=papers.day,
        is_whole=papers.is_whole,
        orders=_by_name((o.status, o.total) for o in papers.orders),
        payments=_by_name((c.status, c.amount) for c in charges),
        hours=_by_hour(papers.orders, zone=zone),
        products=_products(sales),
        sold=_total(order.total for order in papers.orders if order.is_paid),
        charged=_total(charge.charged for charge in charges),
        refunded=_total(charge.refunded for charge in charges),
        disputed=_total(charge.disputed for charge in charges),
        fees=_total(charge.fee or ZERO for charge in paid),
        fees_unknown=sum(charge.fee is None for charge in paid),
        refunding=sum(charge.is_refunding for charge in charges),
        kept_by_orders=_total(order.kept for order in papers.orders),
        kept_by_ledger=_total(charge.kept for charge in charges),
        differences=tuple(_differences(papers)),
        moved={
            kind: Money.parse(moved[kind])
            for kind in ("charged", "refunded", "fee", "disputed", "regained")
        },
        cases_opened=moved["cases_opened"],
        open_cases=moved["open_cases"],
    )


def _differences(papers: Papers) -> Iterable[Difference]:
    of_orders = {charge.order_id: charge for charge in papers.charges}
    for order in papers.orders:
        charge = of_orders.get(order.id)
        kept = charge.kept if charge else ZERO
        if kept != order.kept:
            yield Difference(
                why=_why(order, kept=kept, charge=charge),
                order_id=order.id,
                call_number=order.call_number,
                by_orders=order.kept,
                by_ledger=kept,
                has_case=bool(charge and charge.open_cases),
            )
    for charge in papers.orphans:
        if charge.kept > ZERO:
            yield Difference(
                why=Why.NO_ORDER,
                order_id=charge.order_id,
                call_number=None,
                by_orders=ZERO,
                by_ledger=charge.kept,
                has_case=charge.open_cases > 0,
            )


def _why(order: DayOrder, *, kept: Money, charge: DayCharge | None) -> Why:
    if charge is None or charge.charged == ZERO:
        return Why.PAID_WITHOUT_MONEY
    if order.kept == ZERO:
        return Why.MONEY_WITHOUT_SALE
    return Why.TOO_MUCH if kept > order.kept else Why.TOO_LITTLE


def _by_name(named: Iterable[tuple[str, Money]]) -> tuple[Sum, ...]:
    counts: Counter[str] = Counter()
    amounts: dict[str, Money] = {}
    for name, amount in named:
        counts[name] += 1
        amounts[name] = amounts.get(name, ZERO) + amount
    return tuple(Sum(name=name, count=counts[name], amount=amounts[name]) for name in counts)


def _by_hour(orders: Sequence[DayOrder], *, zone: tzinfo) -> tuple[Sum, ...]:
    """Give each hour from the first to the last with an order, those without one too."""
    if not orders:
        return ()
    sold = _by_name((_hour(o, zone=zone).isoformat(), o.total) for o in orders if o.is_sale)
    found = {each.name: each for each in sold}
    begun = [_hour(order, zone=zone) for order in orders]
    length = (max(begun) - min(begun)) // _HOUR + 1
    names = [(min(begun) + number * _HOUR).isoformat() for number in range(length)]
    return tuple(found.get(name, Sum(name=name, count=0, amount=ZERO)) for name in names)


def _hour(order: DayOrder, *, zone: tzinfo) -> datetime:
    return order.placed_at.astimezone(zone).replace(minute=0, second=0, microsecond=0)


def _products(sales: Iterable[DayOrder]) -> tuple[Product, ...]:
    names: dict[str, str] = {}
    quantities: Counter[str] = Counter()
    amounts: dict[str, Money] = {}
    for line in (line for order in sales for line in order.lines):
        names[line.product_id] = line.name
        quantities[line.product_id] += line.quantity
        amounts[line.product_id] = amounts.get(line.product_id, ZERO) + line.amount
    sold = [
        Product(name=names[each], quantity=quantities[each], amount=amounts[each]) for each in names
    ]
    return tuple(sorted(sold, key=lambda product: (-product.amount.cents, product.name)))


def _total(amounts: Iterable[Money]) -> Money:
    return sum(amounts, ZERO)
