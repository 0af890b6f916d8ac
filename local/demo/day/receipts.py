"""What the people of a day hold in their hands: the other side of the shop's books."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from comanda.money import ZERO, Money


class Fate(StrEnum):
    """How an order went, as its customer knows it."""

    EATEN = "eaten"
    WALKED_AWAY = "walked away"
    PAID_LATE = "paid too late"
    TURNED_AWAY = "turned away"


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """One order as its customer last saw it; `units` counts each product by its id."""

    order_id: str
    call_number: int
    fate: Fate
    total: Money
    units: Mapping[str, int]
    statuses: tuple[str, ...]

    @classmethod
    def of(cls, order: Mapping[str, Any], fate: Fate) -> "Receipt":
        """Keep what an answer says."""
        units: Counter[str] = Counter()
        for line in order["lines"]:
            units[line["product_id"]] += line["quantity"]
        return cls(
            order_id=order["id"],
            call_number=order["call_number"],
            fate=fate,
            total=Money.parse(order["total"]),
            units=units,
            statuses=tuple(passage["status"] for passage in order["history"]),
        )


@dataclass(kw_only=True, slots=True)
class Drawer:
    """All receipts of the day, and whoever left without one."""

    receipts: list[Receipt] = field(default_factory=list)
    angry: list[str] = field(default_factory=list)

    def keep(self, order: Mapping[str, Any], fate: Fate) -> None:
        """Put a receipt in."""
        self.receipts.append(Receipt.of(order, fate))

    def of(self, fate: Fate) -> list[Receipt]:
        """Give the receipts of one fate."""
        return [receipt for receipt in self.receipts if receipt.fate is fate]

    def taken(self) -> Money:
        """Add up what the eaten orders cost."""
        return sum((receipt.total for receipt in self.of(Fate.EATEN)), ZERO)

    def eaten(self) -> Counter[str]:
        """Count what was eaten, by product."""
        units: Counter[str] = Counter()
        for receipt in self.of(Fate.EATEN):
            units.update(receipt.units)
        return units
