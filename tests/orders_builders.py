"""Builders of the tests of orders: short ways to say a menu, a request, news of an order."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from comanda.envelope import Envelope, seal
from comanda.events import (
    ChargeCreated,
    ChargeRefused,
    Event,
    PaymentApproved,
    PaymentFailed,
    PaymentRefunded,
    ProductChanged,
    ShopChanged,
    StockRejected,
    StockReserved,
)
from comanda.hours import OpeningHours
from comanda.ids import ChargeId, OrderId, ProductId, ReservationId, ShopId
from comanda.money import Money
from workers.orders.claims import ClaimKey
from workers.orders.floor import Store
from workers.orders.handlers import HANDLERS
from workers.orders.lines import Wanted, merged
from workers.orders.load import KitchenLoad
from workers.orders.model import Order
from workers.orders.placing import OrderRequest, Placement, Till
from workers.orders.ports import Desk, Menus, Orders
from workers.orders.shop_rules import shop_zone
from workers.runtime.errors import AlreadyHandled

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SHOP = ShopId("lanchonete-da-ana")
OTHER_SHOP = ShopId("cantina-do-beto")
GUEST = f"guest:{UUID(int=1)}"
CHARGE = ChargeId("charge-1")
_keys = count(1)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def changed(
    slug: str = "pastel", *, price: str = "12.50", version: int = 1, is_available: bool = True
) -> ProductChanged:
    return ProductChanged(
        shop_id=SHOP,
        product_id=ProductId(slug),
        version=version,
        name=slug.title(),
        category="MEAL",
        price=Money.parse(price),
        is_available=is_available,
    )


def shop_changed(
    *,
    version: int,
    switch: str = "BY_HOURS",
    most_in_flight: int | None = None,
    day_begins_at: int = 0,
    hours: tuple[OpeningHours, ...] = (),
) -> ShopChanged:
    return ShopChanged(
        shop_id=SHOP,
        version=version,
        hours=hours,
        switch=switch,
        most_in_flight=most_in_flight,
        day_begins_at=day_begins_at,
    )


def request(
    *wanted: tuple[str, int], key: str | None = None, owner: str = GUEST, body: str | None = None
) -> OrderRequest:
    lines = [Wanted(product_id=ProductId(i), quantity=q) for i, q in wanted or [("pastel", 2)]]
    return OrderRequest(
        key=ClaimKey(shop_id=SHOP, owner=owner, key=key or f"key-{next(_keys)}"),
        fingerprint=body or str(lines),
        customer_id=None,
        lines=merged(lines),
    )


def till(orders: Store, *, desk: Desk, menus: Menus, clock: Clock) -> Till:
    return Till(
        orders=orders,
        desk=desk,
        menus=menus,
        clock=clock,
        render=lambda order: f"answer of {order.id}",
        zone=shop_zone(),
        load=KitchenLoad(orders),
    )


async def deliver(
    event: Event | Envelope, *, orders: Orders, times: int = 1, now: datetime = NOW
) -> Envelope:
    """Handle an event as the worker does; what was handled before is a success."""
    message = event if isinstance(event, Envelope) else seal(event, now=now)
    for _ in range(times):
        with suppress(AlreadyHandled):
            await HANDLERS[type(message.event)](message, orders=orders)
    return message


async def placed(till: Till, *, menu: Sequence[ProductChanged] = ()) -> Order:
    for product in menu or [changed()]:
        await deliver(product, orders=till.orders)
    placement: Placement = await till.place(request())
    assert placement.order is not None
    return placement.order


def reserved(order: Order) -> StockReserved:
    return StockReserved(
        shop_id=order.shop_id,
        order_id=order.id,
        customer_id=None,
        reservation_id=ReservationId("reservation-1"),
        lines=order.lines,
        total=order.total,
    )


def rejected(order: Order) -> StockRejected:
    return StockRejected(shop_id=order.shop_id, order_id=order.id, reason="out_of_stock")


def charged(
    order: Order, *, charge_id: ChargeId = CHARGE, amount: Money | None = None
) -> ChargeCreated:
    return ChargeCreated(
        shop_id=order.shop_id,
        order_id=order.id,
        charge_id=charge_id,
        amount=amount or order.total,
        pix_code="00020126BR.GOV.BCB.PIX6304ABCD",
        expires_at=NOW + timedelta(minutes=30),
    )


def refused(order: Order) -> ChargeRefused:
    return ChargeRefused(
        shop_id=order.shop_id, order_id=order.id, charge_id=CHARGE, reason="limits"
    )


def approved(
    order: Order, *, charge_id: ChargeId = CHARGE, amount: Money | None = None
) -> PaymentApproved:
    return PaymentApproved(
        shop_id=order.shop_id,
        order_id=order.id,
        charge_id=charge_id,
        amount=amount or order.total,
        approved_at=NOW + timedelta(seconds=30),
    )


def failed(order: Order) -> PaymentFailed:
    return PaymentFailed(
        shop_id=order.shop_id, order_id=order.id, charge_id=CHARGE, reason="expired"
    )


def refunded(order: Order, *, amount: Money | None = None) -> PaymentRefunded:
    return PaymentRefunded(
        shop_id=order.shop_id,
        order_id=order.id,
        charge_id=CHARGE,
        amount=amount or order.total,
    )


def unknown_order() -> OrderId:
    return OrderId(str(UUID(int=404)))
