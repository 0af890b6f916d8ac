"""Orders in memory, with the promises of the real store: versions, conditions, all or nothing."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Self

from comanda.envelope import Envelope, seal
from comanda.events import Event
from comanda.ids import OrderId, ProductId, ShopId
from workers.orders.claims import Claim, ClaimKey
from workers.orders.lines import MenuItem
from workers.orders.model import BOARD, Order
from workers.orders.ports import Totals
from workers.runtime.errors import AlreadyHandled, Conflict, StoreUnavailable

_OrderKey = tuple[ShopId, OrderId]


@dataclass(kw_only=True, slots=True)
class _State:
    """Everything that is committed; a unit's writes are tried on a copy."""

    orders: dict[_OrderKey, Order] = field(default_factory=dict)
    menu: dict[tuple[ShopId, ProductId], MenuItem] = field(default_factory=dict)
    claims: dict[ClaimKey, Claim] = field(default_factory=dict)
    numbers: dict[tuple[ShopId, date], int] = field(default_factory=dict)
    inbox: set[str] = field(default_factory=set)

    def copy(self) -> Self:
        """Copy the containers; what they hold is frozen."""
        return type(self)(
            orders=dict(self.orders),
            menu=dict(self.menu),
            claims=dict(self.claims),
            numbers=dict(self.numbers),
            inbox=set(self.inbox),
        )


_Write = Callable[[_State], None]


class InMemoryOrdersUnit:
    """Writes that gather until the end of the unit."""

    def __init__(self, state: _State, *, now: datetime, cause: Envelope | None) -> None:
        self._state = state
        self._cause = cause
        self.now = now
        self.writes: list[_Write] = []
        self.sealed: list[Envelope] = []

    def emit(self, event: Event) -> None:
        """Keep an outgoing event until the unit ends well."""
        self.sealed.append(seal(event, now=self.now, cause=self._cause))

    async def order(self, shop_id: ShopId, order_id: OrderId) -> Order | None:
        """Find an order."""
        return self._state.orders.get((shop_id, order_id))

    def add(self, order: Order) -> None:
        """Keep a new order."""

        def write(state: _State) -> None:
            if (order.shop_id, order.id) in state.orders:
                raise Conflict
            state.orders[order.shop_id, order.id] = order

        self.writes.append(write)

    def save(self, order: Order) -> Order:
        """Replace an order of the version that was read."""
        saved = replace(order, version=order.version + 1)

        def write(state: _State) -> None:
            found = state.orders.get((order.shop_id, order.id))
            if found is None or found.version != order.version:
                raise Conflict
            state.orders[order.shop_id, order.id] = saved

        self.writes.append(write)
        return saved

    def complete(self, claim: Claim, *, answer: str) -> None:
        """Give a claim its answer."""

        def write(state: _State) -> None:
            found = state.claims.get(claim.key)
            if found is None or found.holder != claim.holder or found.answer is not None:
                raise Conflict
            state.claims[claim.key] = replace(found, answer=answer)

        self.writes.append(write)

    async def menu_item(self, shop_id: ShopId, product_id: ProductId) -> MenuItem | None:
        """Find our copy of a product."""
        return self._state.menu.get((shop_id, product_id))

    def save_menu_item(self, item: MenuItem) -> None:
        """Keep a newer copy."""

        def write(state: _State) -> None:
            found = state.menu.get((item.shop_id, item.product_id))
            if found is not None and found.version >= item.version:
                raise Conflict
            state.menu[item.shop_id, item.product_id] = item

        self.writes.append(write)


class InMemoryOrders:
    """Store, readers and topic in one; `published` holds what went out; `is_down` breaks it."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._state = _State()
        self.published: list[Envelope] = []
        self.is_down = False

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[InMemoryOrdersUnit]:
        """Open a unit of work; raise `AlreadyHandled` when the effect of `cause` is committed."""
        unit = InMemoryOrdersUnit(self._reached(), now=self._clock(), cause=cause)
        yield unit
        state = self._reached().copy()
        if cause is not None:
            if cause.id in state.inbox:
                raise AlreadyHandled
            state.inbox.add(cause.id)
        for write in unit.writes:
            write(state)
        self._state = state
        self.published.extend(unit.sealed)

    async def get(self, shop_id: ShopId, order_id: OrderId) -> Order | None:
        """Find an order."""
        return self._reached().orders.get((shop_id, order_id))

    async def many(self, keys: Sequence[_OrderKey]) -> list[Order]:
        """Find orders."""
        orders = self._reached().orders
        return [orders[key] for key in keys if key in orders]

    async def board(self, shop_id: ShopId) -> list[Order]:
        """List what the kitchen sees."""
        shown = [o for o in self._of(shop_id) if o.status in BOARD]
        return sorted(shown, key=lambda o: (BOARD.index(o.status), o.placed_at, o.id))

    async def totals(self, shop_id: ShopId) -> Totals:
        """Add up all orders of a shop."""
        totals = Totals()
        for order in self._of(shop_id):
            totals.count(order.status, total=order.total, refusals=len(order.refusals))
        return totals

    async def audit(self, shop_id: ShopId) -> tuple[list[Order], list[Claim]]:
        """List all orders and all claims of a shop."""
        claims = [c for c in self._reached().claims.values() if c.key.shop_id == shop_id]
        return list(self._of(shop_id)), claims

    async def ping(self) -> None:
        """Reach the store, or raise."""
        self._reached()

    async def menu(self, shop_id: ShopId) -> Mapping[ProductId, MenuItem]:
        """List our copies of a shop's products."""
        return {i.product_id: i for i in self._reached().menu.values() if i.shop_id == shop_id}

    async def claim(self, wanted: Claim, *, now: datetime) -> Claim:
        """Keep the claim, or give the one that holds its key."""
        claims = self._reached().claims
        found = claims.get(wanted.key)
        if found is not None and not found.is_expired(now=now):
            return found
        claims[wanted.key] = wanted
        return wanted

    async def take_over(self, claim: Claim, *, of: str) -> bool:
        """Keep a claim's new holder if `of` still holds it."""
        claims = self._reached().claims
        found = claims.get(claim.key)
        if found is None or found.holder != of or found.answer is not None:
            return False
        claims[claim.key] = claim
        return True

    async def release(self, claim: Claim) -> None:
        """Forget a claim without an answer."""
        claims = self._reached().claims
        found = claims.get(claim.key)
        if found is not None and found.holder == claim.holder and found.answer is None:
            del claims[claim.key]

    async def amend(self, claim: Claim, *, answer: str) -> None:
        """Replace the answer of a claim."""
        claims = self._reached().claims
        found = claims.get(claim.key)
        if found is not None and found.holder == claim.holder and found.answer is not None:
            claims[claim.key] = replace(found, answer=answer)

    async def next_number(self, shop_id: ShopId, *, day: date) -> int:
        """Count up."""
        numbers = self._reached().numbers
        numbers[shop_id, day] = numbers.get((shop_id, day), 0) + 1
        return numbers[shop_id, day]

    def _of(self, shop_id: ShopId) -> list[Order]:
        return [order for order in self._reached().orders.values() if order.shop_id == shop_id]

    def _reached(self) -> _State:
        if self.is_down:
            raise StoreUnavailable
        return self._state
