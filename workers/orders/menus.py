"""A menu is asked for with every order and changes a few times a day, so each process keeps it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from comanda.ids import ShopId
from workers.orders.lines import Menu
from workers.orders.ports import Menus

# The catalog checks each price again, so a second of age costs at most a rejected order.
FRESH_FOR = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Copy:
    menu: Menu
    read_at: float


class CachedMenus:
    """Read a shop's menu at most once in `fresh_for`, however many ask; keep no empty one."""

    def __init__(
        self,
        menus: Menus,
        *,
        fresh_for: timedelta = FRESH_FOR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._menus = menus
        self._fresh_for = fresh_for.total_seconds()
        self._clock = clock
        self._copies: dict[ShopId, _Copy] = {}
        self._lock = asyncio.Lock()

    async def menu(self, shop_id: ShopId) -> Menu:
        """Give the menu, at most `fresh_for` old."""
        copy = self._fresh(shop_id)
        if copy is not None:
            return copy.menu
        async with self._lock:
            copy = self._fresh(shop_id)
            if copy is None:
                read_at = self._clock()
                copy = _Copy(menu=await self._menus.menu(shop_id), read_at=read_at)
                self._copies[shop_id] = copy
        return copy.menu

    def _fresh(self, shop_id: ShopId) -> _Copy | None:
        copy = self._copies.get(shop_id)
        if copy is None or not copy.menu.items or self._clock() - copy.read_at >= self._fresh_for:
            return None
        return copy
