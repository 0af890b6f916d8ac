"""What the routes of orders work with: the store, the till, the desk, and those who wait."""

import io
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Protocol

import segno

from comanda.ids import ShopId
from workers.orders.hooks import Hooks
from workers.orders.load import KitchenLoad
from workers.orders.menus import CachedMenus
from workers.orders.model import Order
from workers.orders.placing import Till
from workers.orders.ports import Desk, Menus, OrderReader, Orders
from workers.orders.shop_rules import shop_zone
from workers.orders.stream import Streams
from workers.orders.views import OrderView
from workers.orders.watch import OrderWatch


class Store(Orders, OrderReader, Menus, Protocol):
    """Everything that the API asks of the repository."""


class Floor:
    """All that one process of the API needs."""

    def __init__(
        self,
        store: Store,
        *,
        desk: Desk,
        hooks: Hooks,
        clock: Callable[[], datetime],
        may_call_loopback: bool = False,
    ) -> None:
        self.store = store
        self.desk = desk
        self.hooks = hooks
        self.clock = clock
        self.may_call_loopback = may_call_loopback
        self.watch = OrderWatch(store)
        self.streams = Streams(self.watch, render=self.render)
        self.menus = CachedMenus(store)
        self.load = KitchenLoad(store)
        self.zone = shop_zone()
        self.till = Till(
            orders=store,
            desk=desk,
            menus=self.menus,
            clock=clock,
            render=self.render,
            zone=self.zone,
            load=self.load,
        )

    async def today(self, shop_id: ShopId) -> date:
        """Give the shop's day."""
        menu = await self.menus.menu(shop_id)
        return menu.rules.day(now=self.clock(), zone=self.zone)

    async def bounds(self, shop_id: ShopId, day: date) -> tuple[datetime, datetime]:
        """Give when a day of the shop begins and ends, by its rule of now."""
        menu = await self.menus.menu(shop_id)
        return menu.rules.bounds(day, zone=self.zone)

    def render(self, order: Order) -> str:
        """Show an order as JSON text."""
        return OrderView.of(order, now=self.clock()).model_dump_json()


@lru_cache(maxsize=256)
def qr_code(text: str) -> bytes:
    """Draw a text as SVG: 13 ms of work, so who asks again and again gets the same drawing."""
    drawing = io.BytesIO()
    segno.make_qr(text, error="m").save(drawing, kind="svg", scale=6, border=4, light="#fff")
    return drawing.getvalue()
