"""What orders and payments tell of a day, read from their JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from comanda.money import ZERO, Money

JSON = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """A day of a shop, from an instant on until before another."""

    day: date
    begins_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, told: JSON) -> Self:
        """Read a page of orders' closing."""
        return cls(
            day=date.fromisoformat(told["day"]),
            begins_at=datetime.fromisoformat(told["begins_at"]),
            ends_at=datetime.fromisoformat(told["ends_at"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SoldLine:
    """So many of a product at one price."""

    product_id: str
    name: str
    quantity: int
    amount: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class DayOrder:
    """An order of the day."""

    id: str
    call_number: int
    status: str
    total: Money
    refunded: Money
    placed_at: datetime
    is_paid: bool
    lines: tuple[SoldLine, ...]

    @classmethod
    def of(cls, told: JSON) -> Self:
        """Read an order."""
        return cls(
            id=told["id"],
            call_number=told["call_number"],
            status=told["status"],
            total=Money.parse(told["total"]),
            refunded=Money.parse(told["refunded"]),
            placed_at=datetime.fromisoformat(told["placed_at"]),
            is_paid=told["paid_at"] is not None,
            lines=tuple(
                SoldLine(
                    product_id=line["product_id"],
                    name=line["name"],
                    quantity=line["quantity"],
                    amount=Money.parse(line["unit_price"]) * line["quantity"],
                )
                for line in told["lines"]
            ),
        )

    @property
    def kept(self) -> Money:
        """Give what the shop keeps of it, as far as orders knows."""
        return self.total - min(self.refunded, self.total) if self.is_paid else ZERO

    @property
    def is_sale(self) -> bool:
        """Tell whether it was paid and not called off."""
        return self.is_paid and self.status != "CANCELLED"


@dataclass(frozen=True, kw_only=True, slots=True)
class DayCharge:
    """What the ledger has of an order; `fee` is None while the provider has not told it."""

    id: str
    order_id: str
    status: str
    amount: Money
    charged: Money
    refunded: Money
    disputed: Money
    fee: Money | None
    open_cases: int
    is_refunding: bool

    @classmethod
    def of(cls, told: JSON) -> Self:
        """Read a charge; what a dispute gave back is not disputed any more."""
        disputed, regained = Money.parse(told["disputed"]), Money.parse(told["regained"])
        return cls(
            id=told["id"],
            order_id=told["order_id"],
            status=told["status"],
            amount=Money.parse(told["amount"]),
            charged=Money.parse(told["charged"]),
            refunded=Money.parse(told["refunded"]),
            disputed=disputed - min(regained, disputed),
            fee=None if told["fee"] is None else Money.parse(told["fee"]),
            open_cases=told["open_cases"],
            is_refunding=told["open_attempts"] > 0,
        )

    @property
    def kept(self) -> Money:
        """Give what came and did not go back; disputes stand beside it."""
        return self.charged - min(self.refunded, self.charged)


@dataclass(frozen=True, kw_only=True, slots=True)
class Papers:
    """All that a day is closed from; `is_whole` is False when there was more than we read."""

    day: Day
    orders: tuple[DayOrder, ...]
    charges: tuple[DayCharge, ...]
    # Charges of this day whose orders nobody knows.
    orphans: tuple[DayCharge, ...]
    moved: JSON
    is_whole: bool = True
