"""A customer's page follows its order by server-sent events.

An event's id is the order's version, so a page that comes back with `Last-Event-ID` gets what it
missed, which is always the order as it is now. A stream ends before the 29 seconds at which
gateways cut a request; the page comes back by itself.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from time import monotonic

from workers.orders.model import Order
from workers.orders.watch import OrderWatch

MEDIA_TYPE = "text/event-stream"
LONGEST = timedelta(seconds=25)
MOST_STREAMS = 500
MOST_OF_ONE_ORDER = 4
_BEAT = timedelta(seconds=10)
_COME_BACK = "retry: 1000\n\n"
_BEAT_TEXT = ": still here\n\n"


class TooManyStreams(Exception):
    """This process, or this order, has as many streams as it may."""


class Streams:
    """All open streams of one process."""

    def __init__(
        self,
        watch: OrderWatch,
        *,
        render: Callable[[Order], str],
        longest: timedelta = LONGEST,
        most: int = MOST_STREAMS,
    ) -> None:
        self._watch = watch
        self._render = render
        self._longest = longest
        self._most = most
        self._open: Counter[str] = Counter()

    def open(self, order: Order, *, seen: str = "") -> AsyncIterator[str]:
        """Follow an order from the version after `seen`; raise `TooManyStreams`."""
        if self._open.total() >= self._most or self._open[order.id] >= MOST_OF_ONE_ORDER:
            raise TooManyStreams
        return self._events(order, seen=seen)

    async def _events(self, order: Order, *, seen: str) -> AsyncIterator[str]:
        self._open[order.id] += 1
        try:
            until = monotonic() + self._longest.total_seconds()
            yield _COME_BACK
            if seen != str(order.version):
                yield self._event(order)
            while (left := until - monotonic()) > 0:
                limit = min(_BEAT, timedelta(seconds=left))
                newer = await self._watch.until_changed(order, limit=limit)
                yield _BEAT_TEXT if newer is order else self._event(newer)
                order = newer
        finally:
            self._open[order.id] -= 1
            if not self._open[order.id]:
                del self._open[order.id]

    def _event(self, order: Order) -> str:
        # JSON of ours holds no line break, which would end the event.
        return f"id: {order.version}\nevent: order\ndata: {self._render(order)}\n\n"
