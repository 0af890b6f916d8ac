"""What the routes of orders work with: the store, the till, the desk, and those who wait."""

import io
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import segno

from workers.orders.menus import CachedMenus
from workers.orders.model import Order
from workers.orders.placing import Till, shop_zone
from workers.orders.ports import Desk, Menus, OrderReader, Orders
from workers.orders.views import OrderView
from workers.orders.watch import OrderWatch


class Store(Orders, OrderReader, Menus, Protocol):
    """Everything that the API asks of the repository."""


class Floor:
    """All that one process of the API needs."""

    def __init__(self, store: Store, *, desk: Desk, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.desk = desk
        self.clock = clock
        self.watch = OrderWatch(store)
        self.till = Till(
            orders=store,
            desk=desk,
            menus=CachedMenus(store),
            clock=clock,
            render=self.render,
            zone=shop_zone(),
        )

    def render(self, order: Order) -> str:
        """Show an order as JSON text."""
        return OrderView.of(order, now=self.clock()).model_dump_json()


def qr_code(text: str) -> bytes:
    """Draw a text as SVG."""
    drawing = io.BytesIO()
    segno.make_qr(text, error="m").save(drawing, kind="svg", scale=6, border=4, light="#fff")
    return drawing.getvalue()
