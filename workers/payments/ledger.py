"""The ledger of a charge: lines that are added and never changed, and what they add up to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comanda.money import ZERO, Money

# The charge's own payment; another payment of the provider's is named by its id there.
OWN = ""


class EntryKind(StrEnum):
    """What a line of the ledger says."""

    CHARGED = "charged"
    FEE = "fee"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    REGAINED = "regained"  # A dispute that the shop won.


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A line: so much moved, then; `resource_id` names a payment that is not the charge's own."""

    kind: EntryKind
    amount: Money
    at: datetime
    resource_id: str = OWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line as it is read back to add up."""

    kind: EntryKind
    amount: Money
    resource_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    """What the lines about one payment add up to."""

    charged: Money = ZERO
    refunded: Money = ZERO
    disputed: Money = ZERO

    @property
    def left(self) -> Money:
        """Give what came and did not go back; a refund beyond what came leaves nothing."""
        return self.charged - min(self.refunded, self.charged)


def balance(lines: Iterable[Line], *, resource_id: str = OWN) -> Balance:
    """Add up the lines of one payment."""
    sums = dict.fromkeys(EntryKind, ZERO)
    for line in lines:
        if line.resource_id == resource_id:
            sums[line.kind] += line.amount
    return Balance(
        charged=sums[EntryKind.CHARGED],
        refunded=sums[EntryKind.REFUNDED],
        disputed=sums[EntryKind.DISPUTED] - min(sums[EntryKind.REGAINED], sums[EntryKind.DISPUTED]),
    )
