"""The same money as four parties tell it, of one shop, read into plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from comanda.money import Money

# Where an order is on its way through the kitchen, or was.
KITCHEN = frozenset({"RECEIVED", "IN_PREPARATION", "READY", "COMPLETED"})


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedOrder:
    """An order as orders tells it."""

    id: str
    status: str
    total: Money
    refunded: Money
    paid_by: str | None
    history: tuple[str, ...]
    # What its lines take of each product, parts of combos included.
    units: Mapping[str, int] = field(default_factory=dict)
    has_code: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedClaim:
    """Which order an idempotency key made."""

    key: str
    order_id: str
    is_answered: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedCharge:
    """A charge as payments tells it; `strays` are second payments by the provider's id."""

    id: str
    order_id: str
    status: str
    amount: Money
    charged: Money
    refunded: Money
    disputed: Money
    provider_id: str | None
    open_attempts: int
    strays: Mapping[str, tuple[Money, Money]]

    @property
    def left(self) -> Money:
        """Give what came and did not go back."""
        return self.charged - min(self.refunded, self.charged)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedCase:
    """A case; `is_resolved` says that a person closed it with a reason."""

    kind: str
    subject: str
    order_id: str | None
    is_open: bool
    is_resolved: bool = False

    @property
    def is_known(self) -> bool:
        """Tell whether a person has it in hand, or settled it; one that closed itself is over."""
        return self.is_open or self.is_resolved


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedLevel:
    """The stock of a product as catalog tells it."""

    product_id: str
    received: int
    held: int
    sold: int
    delivered: int
    reserved: int
    bought: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedLedger:
    """Units received, held and sold of a product: its level, and what its ledger adds up to."""

    product_id: str
    level: tuple[int, int, int]
    booked: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedReservation:
    """What catalog set aside for an order, in units by product; HELD, SOLD or RELEASED."""

    order_id: str
    status: str
    units: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderPaid:
    """A payment as the provider tells it."""

    id: str
    reference: str
    paid: Money
    refunded: Money


@dataclass(frozen=True, kw_only=True)
class Books:
    """All that the invariants of one shop are about; `is_whole` says that `paid` has no window."""

    shop: str
    orders: Mapping[str, AuditedOrder]
    claims: tuple[AuditedClaim, ...]
    charges: tuple[AuditedCharge, ...]
    cases: tuple[AuditedCase, ...]
    levels: tuple[AuditedLevel, ...]
    paid: tuple[ProviderPaid, ...]
    ledger: tuple[AuditedLedger, ...] = ()
    is_whole: bool = False
    reservations: tuple[AuditedReservation, ...] = ()

    @cached_property
    def _known_orders(self) -> frozenset[str]:
        known = (case.order_id for case in self.cases if case.is_known)
        return frozenset(order_id for order_id in known if order_id is not None)

    @cached_property
    def _known_subjects(self) -> frozenset[str]:
        # A second order of the provider's is named after the charge that it claims to be.
        known = (case.subject for case in self.cases if case.is_known)
        return frozenset(subject.rpartition("/")[2] for subject in known)

    def has_case(self, *, order_id: str | None = None, subject: str | None = None) -> bool:
        """Tell whether a person knows of it: an open case, or one closed by a person."""
        return order_id in self._known_orders or subject in self._known_subjects
