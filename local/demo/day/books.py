"""Hold the shop's books against what people hold in their hands, to the cent and to the unit."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comanda.money import ZERO, Money
from console.audit.books import AuditedCharge, Books
from local.demo.day.receipts import Drawer, Fate, Receipt

_KITCHEN = ("PENDING_PAYMENT", "RECEIVED", "IN_PREPARATION", "READY", "COMPLETED")
_FAILED = ("PENDING_PAYMENT", "PAYMENT_FAILED")
_CANCELLED = ("PENDING_PAYMENT", "CANCELLED")
HISTORIES: Mapping[Fate, tuple[str, ...]] = {
    Fate.EATEN: _KITCHEN,
    Fate.WALKED_AWAY: _FAILED,
    Fate.PAID_LATE: _FAILED,
    Fate.TURNED_AWAY: _CANCELLED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stock:
    """One product as the stock tells it, beside what its ledger makes of it."""

    received: int
    held: int
    sold: int
    left: int
    is_as_its_ledger: bool


@dataclass(frozen=True, kw_only=True)
class Evening:
    """A shop's books at the end of its day; `scarce` is the product that was to sell out."""

    books: Books
    stocks: Mapping[str, Stock]
    scarce: str
    provider_taken: Money
    provider_returned: Money

    @classmethod
    def of(cls, books: Books, *, levels: list[Any], ledger: list[Any], scarce: str) -> "Evening":
        """Put together what four doors say."""
        agrees = {row["product_id"]: row["agrees"] for row in ledger}
        numbers = ("received", "held", "sold", "left")
        return cls(
            books=books,
            stocks={
                row["product_id"]: Stock(
                    **{name: row[name] for name in numbers},
                    is_as_its_ledger=agrees.get(row["product_id"], False),
                )
                for row in levels
            },
            scarce=scarce,
            provider_taken=sum((it.paid for it in books.paid), ZERO),
            provider_returned=sum((it.refunded for it in books.paid), ZERO),
        )

    @property
    def kept_by_orders(self) -> Money:
        """Give what the handed-over orders were worth."""
        worth = (o.total for o in self.books.orders.values() if o.status == "COMPLETED")
        return sum(worth, ZERO)

    @property
    def kept_by_payments(self) -> Money:
        """Give what came and did not go back, by our ledger."""
        return sum((charge.left for charge in self.books.charges), ZERO)

    @property
    def kept_by_provider(self) -> Money:
        """Give what came and did not go back, by the provider's books."""
        return self.provider_taken - self.provider_returned

    @property
    def sold(self) -> int:
        """Count the units that the stock has sold."""
        return sum(stock.sold for stock in self.stocks.values())


def disagreements(evening: Evening, drawer: Drawer) -> list[str]:
    """Name everything in which the books and the receipts differ; an empty list is a good day."""
    checks = (_orders, _histories, _charges, _sums, _units, _shelves, _call_numbers)
    found = [line for check in checks for line in check(evening, drawer)]
    found += [f"somebody left angry: {reason}" for reason in drawer.angry]
    # A case is work for a person, and nothing in this day leaves any.
    found += [f"open case {c.kind} {c.subject}" for c in evening.books.cases if c.is_open]
    return found


Found = Iterator[str]


def _orders(evening: Evening, drawer: Drawer) -> Found:
    held = Counter(receipt.order_id for receipt in drawer.receipts)
    yield from (f"{n} receipts of order {order}" for order, n in held.items() if n > 1)
    yield from (f"order {it} is in no book" for it in held.keys() - evening.books.orders.keys())
    yield from (f"nobody knows order {it}" for it in evening.books.orders.keys() - held.keys())


def _histories(evening: Evening, drawer: Drawer) -> Found:
    for receipt in drawer.receipts:
        order = evening.books.orders.get(receipt.order_id)
        if order is None:
            continue
        if order.total != receipt.total:
            yield f"order {order.id}: R$ {order.total}, on its receipt R$ {receipt.total}"
        if order.history != HISTORIES[receipt.fate]:
            yield f"order {order.id} was {receipt.fate}, and went {' > '.join(order.history)}"
        if receipt.statuses != order.history[: len(receipt.statuses)]:
            yield f"order {order.id} was seen as {' > '.join(receipt.statuses)}"


def _charges(evening: Evening, drawer: Drawer) -> Found:
    by_order: dict[str, list[AuditedCharge]] = {}
    for charge in evening.books.charges:
        by_order.setdefault(charge.order_id, []).append(charge)
    for receipt in drawer.receipts:
        charges = by_order.get(receipt.order_id, [])
        came = sum((charge.charged for charge in charges), ZERO)
        back = sum((charge.refunded for charge in charges), ZERO)
        if (came, back) != _owed(receipt):
            told = f"R$ {came} came and R$ {back} went back"
            yield f"order {receipt.order_id} was {receipt.fate}: {told}, of R$ {receipt.total}"


def _owed(receipt: Receipt) -> tuple[Money, Money]:
    """Give what must have come for an order and gone back."""
    if receipt.fate is Fate.EATEN:
        return receipt.total, ZERO
    return (receipt.total, receipt.total) if receipt.fate is Fate.PAID_LATE else (ZERO, ZERO)


def _sums(evening: Evening, drawer: Drawer) -> Found:
    taken = drawer.taken()
    for who, kept in (
        ("orders", evening.kept_by_orders),
        ("payments", evening.kept_by_payments),
        ("Mercado Pago", evening.kept_by_provider),
    ):
        if kept != taken:
            yield f"people ate for R$ {taken}, and {who} kept R$ {kept}"


def _units(evening: Evening, drawer: Drawer) -> Found:
    eaten = drawer.eaten()
    for product in eaten.keys() | evening.stocks.keys():
        stock = evening.stocks.get(product)
        if stock is None or stock.sold != eaten[product]:
            sold = stock.sold if stock else "nothing"
            yield f"product {product}: {eaten[product]} were eaten, {sold} sold"


def _shelves(evening: Evening, _: Drawer) -> Found:
    for product, stock in evening.stocks.items():
        if stock.held:
            yield f"product {product}: {stock.held} are still held"
        if stock.sold + stock.held + stock.left != stock.received:
            yield f"product {product}: {stock} does not add up"
        if not stock.is_as_its_ledger:
            yield f"product {product} is not what its ledger makes of it"
    scarce = evening.stocks[evening.scarce]
    if scarce.left or scarce.sold != scarce.received:
        yield f"the scarce dish did not sell out: {scarce}"


def _call_numbers(_: Evening, drawer: Drawer) -> Found:
    numbers = Counter(receipt.call_number for receipt in drawer.receipts)
    yield from (f"{n} orders have call number {number}" for number, n in numbers.items() if n > 1)
