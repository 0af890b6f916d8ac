"""Placing an order: a request and its key arrive, one order and `OrderPlaced` leave, once.

The key is claimed first. The order, the claim's answer and the event are then one transaction, so
whatever breaks in between leaves either nothing or all of it. A call number that was drawn for a
try that died stays unused; no order ever has two.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from comanda.events import OrderPlaced
from comanda.ids import CustomerId, ShopId
from workers.orders.claims import Claim, ClaimKey, TwinInFlight
from workers.orders.lines import InvalidLines, MenuMissing, NotOnMenu, Wanted, priced, total_of
from workers.orders.load import KitchenLoad
from workers.orders.model import Order, OrderStatus, Passage, Service
from workers.orders.ports import Desk, Menus, Orders, Page
from workers.orders.shop_rules import (
    MOST_UNPAID,
    UNPAID_AMONG,
    KitchenFull,
    ShopClosed,
    ShopRules,
    TooManyUnpaid,
)
from workers.orders.telling import entry_of_move
from workers.runtime.errors import Conflict, StoreUnavailable

_REFUSALS = (
    InvalidLines,
    KitchenFull,
    MenuMissing,
    NotOnMenu,
    ShopClosed,
    StoreUnavailable,
    TooManyUnpaid,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRequest:
    """What a customer asks for; `lines` are merged, the fingerprint is that of the request."""

    key: ClaimKey
    fingerprint: str
    customer_id: CustomerId | None
    lines: tuple[Wanted, ...]
    service: Service = Service.DINE_IN
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """The answer to a request; a repeated one has no `order`, only what was answered before."""

    claim: Claim
    answer: str
    order: Order | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Till:
    """Where orders are placed; `render` makes the answer that a repeat will get."""

    orders: Orders
    desk: Desk
    menus: Menus
    clock: Callable[[], datetime]
    render: Callable[[Order], str]
    zone: tzinfo
    load: KitchenLoad

    async def place(self, request: OrderRequest) -> Placement:
        """Place the order, or give what the same request was answered before.

        Raises `KeyReused`, `TwinInFlight`, `NotOnMenu`, `MenuMissing`, `InvalidLines`,
        `ShopClosed`, `KitchenFull`, `TooManyUnpaid` and `StoreUnavailable`; all of them leave no
        order behind.
        """
        claim = await self._claim(request)
        if claim.answer is not None:
            return Placement(claim=claim, answer=claim.answer, order=None)
        try:
            order = await self._draft(request, claim=claim)
            return await self._commit(order, claim=claim)
        except Conflict as exc:
            # Somebody took this claim over because we were slow; theirs is the order.
            raise TwinInFlight from exc
        except _REFUSALS:
            # The customer may try again at once. If the transaction did happen after all, the
            # claim has its answer, and cannot be released.
            with suppress(StoreUnavailable):
                await self.desk.release(claim)
            raise

    async def _claim(self, request: OrderRequest) -> Claim:
        now = self.clock()
        wanted = Claim.fresh(request.key, fingerprint=request.fingerprint, now=now)
        found = await self.desk.claim(wanted, now=now)
        if found.holder == wanted.holder:
            return found
        if found.answer is not None and found.fingerprint == wanted.fingerprint:
            return found
        successor = found.passed_to(wanted, now=now)
        if not await self.desk.take_over(successor, of=found.holder):
            raise TwinInFlight
        return successor

    async def _draft(self, request: OrderRequest, *, claim: Claim) -> Order:
        shop_id = request.key.shop_id
        menu = await self.menus.menu(shop_id)
        now = self.clock()
        day = menu.rules.day(now=now, zone=self.zone)
        await self._admit(menu.rules, now=now)
        await self._admit_owner(shop_id, request.key.owner)
        lines = priced(request.lines, menu=menu)
        total = total_of(lines)
        number = await self.desk.next_number(shop_id, day=day)
        return Order(
            id=claim.order_id,
            shop_id=shop_id,
            owner=request.key.owner,
            customer_id=request.customer_id,
            day=day,
            call_number=number,
            service=request.service,
            name=request.name,
            lines=lines,
            total=total,
            placed_at=now,
            history=(Passage(status=OrderStatus.PENDING_PAYMENT, at=now),),
        )

    async def _admit(self, rules: ShopRules, *, now: datetime) -> None:
        if not rules.is_open(now=now, zone=self.zone):
            raise ShopClosed
        if rules.most_in_flight is None:
            return
        day = rules.day(now=now, zone=self.zone)
        if await self.load.in_flight(rules.shop_id, day) >= rules.most_in_flight:
            raise KitchenFull

    async def _admit_owner(self, shop_id: ShopId, owner: str) -> None:
        # The index lags by a moment and requests run side by side, so a few more may slip in; what
        # one can hold stays bounded all the same, whichever processes take the requests.
        newest = await self.orders.of_owner(shop_id, owner, page=Page(limit=UNPAID_AMONG))
        unpaid = sum(order.status is OrderStatus.PENDING_PAYMENT for order in newest)
        if unpaid >= MOST_UNPAID:
            raise TooManyUnpaid

    async def _commit(self, order: Order, *, claim: Claim) -> Placement:
        answer = self.render(order)
        async with self.orders.begin() as unit:
            unit.add(order)
            unit.enter(entry_of_move(order, before=None, unit=unit))
            unit.complete(claim, answer=answer)
            unit.emit(
                OrderPlaced(
                    shop_id=order.shop_id,
                    order_id=order.id,
                    customer_id=order.customer_id,
                    # Who checks stock and price need not read what a customer wrote.
                    lines=tuple(replace(line, notes="") for line in order.lines),
                    total=order.total,
                )
            )
        return Placement(claim=claim, answer=answer, order=order)
