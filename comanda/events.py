"""Everything that happens in Comanda, as typed facts; the wire type is `context.noun.past.vN`."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from comanda.hours import OpeningHours
from comanda.ids import ChargeId, CustomerId, OrderId, ProductId, ReservationId, ShopId
from comanda.menu import ChosenOption, ComboSlot, OptionGroup
from comanda.money import Money

TYPES: dict[str, type["Event"]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A fact of one shop; `subject` names the aggregate that it is about."""

    wire_type: ClassVar[str]
    subject_field: ClassVar[str]

    shop_id: ShopId

    def __init_subclass__(cls, *, wire_type: str = "", subject: str = "") -> None:
        # A slotted dataclass is built twice; only the class of the first pass names its type.
        if wire_type:
            cls.wire_type = wire_type
            cls.subject_field = subject
        TYPES[cls.wire_type] = cls

    @property
    def source(self) -> str:
        """Name the context that sends this fact."""
        return self.wire_type.split(".", 1)[0]

    @property
    def subject(self) -> str:
        """Give the id of the aggregate that this fact is about."""
        return str(getattr(self, self.subject_field))


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """So many of one product, at the price that the customer saw, its options included."""

    product_id: ProductId
    name: str
    quantity: int
    unit_price: Money
    options: tuple[ChosenOption, ...] = ()
    notes: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortage:
    """A product of which there is less than was asked for."""

    product_id: ProductId
    requested: int
    available: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRequest:
    """A request as it came in, kept so that the verdict on it can be checked later."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerRegistered(
    Event, wire_type="customers.customer.registered.v1", subject="customer_id"
):
    """A customer exists, and can be reached at this address."""

    customer_id: CustomerId
    email: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerErased(Event, wire_type="customers.customer.erased.v1", subject="customer_id"):
    """A customer asked to be forgotten (LGPD, art. 18, VI)."""

    customer_id: CustomerId


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderPlaced(Event, wire_type="orders.order.placed.v1", subject="order_id"):
    """A customer wants these lines."""

    order_id: OrderId
    customer_id: CustomerId | None
    lines: tuple[Line, ...]
    total: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class StockReserved(Event, wire_type="catalog.stock.reserved.v1", subject="order_id"):
    """All lines of an order are held, at these prices."""

    order_id: OrderId
    customer_id: CustomerId | None
    reservation_id: ReservationId
    lines: tuple[Line, ...]
    total: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class StockRejected(Event, wire_type="catalog.stock.rejected.v1", subject="order_id"):
    """Not all lines of an order could be held, so none is."""

    order_id: OrderId
    reason: str
    shortages: tuple[Shortage, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeCreated(Event, wire_type="payments.charge.created.v1", subject="order_id"):
    """Here is the Pix code of an order, payable until then."""

    order_id: OrderId
    charge_id: ChargeId
    amount: Money
    pix_code: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeRefused(Event, wire_type="payments.charge.refused.v1", subject="order_id"):
    """The provider would not make a charge for this order."""

    order_id: OrderId
    charge_id: ChargeId
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotificationReceived(
    Event, wire_type="webhooks.notification.received.v1", subject="resource_id"
):
    """Mercado Pago says: look at this resource. The raw request is inside."""

    topic: str
    resource_id: str
    received_at: datetime
    request: RawRequest
    verdict: str = "verified"
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NotificationQuarantined(
    Event, wire_type="webhooks.notification.quarantined.v1", subject="resource_id"
):
    """Somebody says: look at this resource, and it could not be verified who."""

    topic: str
    resource_id: str
    reason: str
    received_at: datetime
    request: RawRequest
    verdict: str = "unverified"


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentApproved(Event, wire_type="payments.payment.approved.v1", subject="order_id"):
    """The exact amount arrived for this order."""

    order_id: OrderId
    charge_id: ChargeId
    amount: Money
    approved_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentFailed(Event, wire_type="payments.payment.failed.v1", subject="order_id"):
    """The charge was rejected, expired or cancelled: it will not be paid."""

    order_id: OrderId
    charge_id: ChargeId
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentRefunded(Event, wire_type="payments.payment.refunded.v1", subject="order_id"):
    """This much went back to the customer."""

    order_id: OrderId
    charge_id: ChargeId
    amount: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentHeld(Event, wire_type="payments.payment.held.v1", subject="order_id"):
    """The provider suspects fraud: nothing may be handed over for this payment yet."""

    order_id: OrderId
    charge_id: ChargeId
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentReleased(Event, wire_type="payments.payment.released.v1", subject="order_id"):
    """Somebody looked into a suspicion of fraud and let the payment go."""

    order_id: OrderId
    charge_id: ChargeId


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderPaid(Event, wire_type="orders.order.paid.v1", subject="order_id"):
    """The kitchen may begin."""

    order_id: OrderId


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderStarted(Event, wire_type="orders.order.started.v1", subject="order_id"):
    """The kitchen has begun."""

    order_id: OrderId


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderReady(Event, wire_type="orders.order.ready.v1", subject="order_id"):
    """The order stands on the counter."""

    order_id: OrderId


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderCompleted(Event, wire_type="orders.order.completed.v1", subject="order_id"):
    """The customer has the order."""

    order_id: OrderId


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRecalled(Event, wire_type="orders.order.recalled.v1", subject="order_id"):
    """The kitchen took a step back on purpose: the order stands at this status again."""

    order_id: OrderId
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderCancelled(Event, wire_type="orders.order.cancelled.v1", subject="order_id"):
    """The order will not be made, for this reason."""

    order_id: OrderId
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductChanged(Event, wire_type="catalog.product.changed.v1", subject="product_id"):
    """What the menu says of a product now; a higher version is newer."""

    product_id: ProductId
    version: int
    name: str
    category: str
    price: Money
    is_available: bool
    description: str = ""
    option_groups: tuple[OptionGroup, ...] = ()
    slots: tuple[ComboSlot, ...] = ()
    picture_url: str = ""
    position: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductRemoved(Event, wire_type="catalog.product.removed.v1", subject="product_id"):
    """A product left the menu; a higher version is newer."""

    product_id: ProductId
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopChanged(Event, wire_type="catalog.shop.changed.v1", subject="shop_id"):
    """When a shop takes orders, and how many at once; a higher version is newer."""

    # `switch` is a `ShopSwitch`; no `most_in_flight` is no bound; call numbers begin again each day
    # at the hour `day_begins_at`, 0 to 23, of the shop's own time.
    version: int
    hours: tuple[OpeningHours, ...]
    switch: str
    most_in_flight: int | None
    day_begins_at: int
