"""Customers who wait for news of their order share one reader, so waiting costs little."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from comanda.ids import OrderId, ShopId
from workers.orders.model import Order
from workers.orders.ports import OrderReader
from workers.runtime.errors import StoreUnavailable

log = logging.getLogger(__name__)
_Key = tuple[ShopId, OrderId]
# One BatchGetItem takes a hundred keys.
_BATCH = 100
_TICK = 0.025
_FIRST_PAUSE = 0.04
_LONGEST_PAUSE = 0.4
# Who looks at a page that changes by itself does not notice a second.
_LONGEST_PAUSE_OF_A_PAGE = 1.0
_GROWTH = 1.5


@dataclass(kw_only=True, slots=True, eq=False)
class _Waiter:
    key: _Key
    is_news: Callable[[Order], bool]
    settled: asyncio.Future[Order]
    due: float
    longest_pause: float
    pause: float = _FIRST_PAUSE


class OrderWatch:
    """Read all awaited orders together, each less and less often."""

    def __init__(self, reader: OrderReader) -> None:
        self._reader = reader
        self._waiters: set[_Waiter] = set()
        self._task: asyncio.Task[None] | None = None

    async def until_settled(self, order: Order, *, limit: timedelta) -> Order:
        """Give the order once it has its Pix code or ended, or as it was when the limit is over."""
        return await self._until(order, lambda o: not o.is_awaited, limit, _LONGEST_PAUSE)

    async def until_changed(self, order: Order, *, limit: timedelta) -> Order:
        """Give the order once it has a newer version, or as it was when the limit is over."""
        return await self._until(
            order, lambda o: o.version > order.version, limit, _LONGEST_PAUSE_OF_A_PAGE
        )

    async def _until(
        self,
        order: Order,
        is_news: Callable[[Order], bool],
        limit: timedelta,
        longest_pause: float,
    ) -> Order:
        loop = asyncio.get_running_loop()
        waiter = _Waiter(
            key=(order.shop_id, order.id),
            is_news=is_news,
            settled=loop.create_future(),
            due=loop.time() + _FIRST_PAUSE,
            longest_pause=longest_pause,
        )
        self._waiters.add(waiter)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(loop.time), name="order-watch")
        try:
            return await asyncio.wait_for(waiter.settled, limit.total_seconds())
        except TimeoutError:
            return order
        finally:
            self._waiters.discard(waiter)

    async def _run(self, clock: Callable[[], float]) -> None:
        while self._waiters:
            await asyncio.sleep(_TICK)
            now = clock()
            due = sorted((w for w in self._waiters if w.due <= now), key=lambda w: w.due)[:_BATCH]
            if due:
                await self._look(due)
            now = clock()
            for waiter in due:
                waiter.pause = min(waiter.pause * _GROWTH, waiter.longest_pause)
                waiter.due = now + waiter.pause

    async def _look(self, due: Sequence[_Waiter]) -> None:
        try:
            found = await self._reader.many(list({waiter.key for waiter in due}))
        except StoreUnavailable:
            # The orders are placed; whoever waits is answered without the code at worst.
            log.warning("awaited orders could not be read", extra={"count": len(due)})
            return
        orders = {(order.shop_id, order.id): order for order in found}
        for waiter in due:
            order = orders.get(waiter.key)
            if order is not None and waiter.is_news(order) and not waiter.settled.done():
                waiter.settled.set_result(order)
