"""The events of a window arrive; today's orders decide on each, on a copy in memory.

What an order was before the window nobody tells, so only orders that were placed in it are judged.
What people did (a step of the kitchen, a cancellation) has no cause among the events: it is done
again, by today's rules, and is a difference when they refuse it.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from comanda.envelope import Envelope
from comanda.events import (
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderReady,
    OrderRecalled,
    OrderStarted,
)
from comanda.ids import OrderId
from local.dry_run.verdicts import Verdict, told
from workers.orders.handlers import HANDLERS, OrdersHandler
from workers.orders.kitchen import Ask, OrderUnknown, advance, cancel
from workers.orders.memory import InMemoryOrders
from workers.orders.model import IllegalTransition, Order, OrderStatus, Passage, Refused, Step
from workers.runtime.errors import AlreadyHandled, Conflict, InvalidMessage

_STEPS = {
    OrderStarted: Step.START,
    OrderReady: Step.MAKE_READY,
    OrderCompleted: Step.COMPLETE,
}
_BACK = {
    OrderStatus.RECEIVED: Step.UNDO_START,
    OrderStatus.IN_PREPARATION: Step.RECALL,
    OrderStatus.READY: Step.UNDO_COMPLETE,
}
_BY_CUSTOMER = "cancelled_by_customer"
# A message that another one overtook is tried once more, as the worker does.
_TRIES = 3
Handlers = Mapping[type, OrdersHandler]


class OrdersDryRun:
    """Judge a window; `handlers` are today's unless a test says otherwise."""

    def __init__(self, events: Sequence[Envelope], *, handlers: Handlers = HANDLERS) -> None:
        self._handlers = handlers
        self._effects = _effects(events)
        self._events = sorted(events, key=lambda it: (self._handled_at(it), it.id))
        self._placed = {it.event.order_id for it in events if isinstance(it.event, OrderPlaced)}
        self._now = datetime.now(UTC)
        self._orders = InMemoryOrders(clock=lambda: self._now)
        self.verdict = Verdict()

    async def run(self) -> Verdict:
        """Go through the window in the order in which it was handled."""
        for message in self._events:
            self._now = self._handled_at(message)
            if isinstance(message.event, OrderPlaced):
                await self._seed(message.event, at=message.time)
            elif message.event.source == "orders":
                await self._repeat(message)
            elif type(message.event) in self._handlers:
                await self._handle(message)
        return self.verdict

    async def _seed(self, placed: OrderPlaced, *, at: datetime) -> None:
        passage = Passage(status=OrderStatus.PENDING_PAYMENT, at=at)
        async with self._orders.begin() as unit:
            unit.add(
                Order(
                    id=placed.order_id,
                    shop_id=placed.shop_id,
                    owner="",
                    customer_id=placed.customer_id,
                    day=at.date(),
                    call_number=1,
                    lines=placed.lines,
                    total=placed.total,
                    placed_at=at,
                    history=(passage,),
                )
            )

    async def _handle(self, message: Envelope) -> None:
        if not self._is_known(message):
            return
        then = tuple(told(it) for it in self._effects[message.id])
        with suppress(AlreadyHandled):
            now = await self._outcome(
                lambda: self._handlers[type(message.event)](message, orders=self._orders)
            )
            self.verdict.compare(message, then=then, now=now)

    async def _repeat(self, message: Envelope) -> None:
        if message.causation_id is not None:
            return  # It is judged with the message that caused it.
        if not self._is_known(message):
            return
        now = await self._outcome(lambda: self._again(message))
        self.verdict.compare(message, then=(told(message),), now=now)

    async def _again(self, message: Envelope) -> None:
        event = message.event
        where = (event.shop_id, OrderId(event.subject))
        if isinstance(event, OrderCancelled):
            step = Step.CANCEL if event.reason == _BY_CUSTOMER else Step.CALL_OFF
            ask = Ask(shop_id=where[0], order_id=where[1], step=step, reason=event.reason)
            await cancel(ask, orders=self._orders)
            return
        if isinstance(event, OrderRecalled):
            step = _BACK[OrderStatus(event.status)]
        else:
            step = _STEPS[type(event)]  # Nobody but these is without a cause.
        await advance(*where, step=step, orders=self._orders)

    async def _outcome(self, act: Callable[[], object]) -> tuple[str, ...]:
        before = len(self._orders.published)
        for turn in range(_TRIES):
            try:
                await act()  # type: ignore[misc]
                break
            except Conflict:
                if turn == _TRIES - 1:
                    return ("conflict",)
            except (InvalidMessage, IllegalTransition, Refused, OrderUnknown) as exc:
                return (f"{type(exc).__name__}: {exc}",)
        return tuple(told(it) for it in self._orders.published[before:])

    def _is_known(self, message: Envelope) -> bool:
        event = message.event
        if hasattr(event, "order_id") and event.order_id not in self._placed:
            self.verdict.skip("its order was placed before the window")
            return False
        return True

    def _handled_at(self, message: Envelope) -> datetime:
        effects = self._effects.get(message.id, ())
        return min((it.time for it in effects), default=message.time)


def _effects(events: Sequence[Envelope]) -> Mapping[str, list[Envelope]]:
    """Give by cause what orders sent because of it."""
    found: dict[str, list[Envelope]] = defaultdict(list)
    for it in events:
        if it.event.source == "orders" and it.causation_id is not None:
            found[it.causation_id].append(it)
    return found
