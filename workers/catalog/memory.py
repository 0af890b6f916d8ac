"""The catalog in memory, with the promises of the real store: units in turn, all or nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from comanda.envelope import Envelope, seal
from comanda.events import Event
from comanda.ids import OrderId, ProductId, ShopId
from workers.catalog.memory_menu import InMemoryMenuUnit
from workers.catalog.memory_reader import InMemoryCatalogReader, State
from workers.catalog.model import (
    Correction,
    Delivery,
    MoveKind,
    Offer,
    RefusedTransition,
    Reservation,
    StockCorrupted,
    StockMove,
)
from workers.runtime.errors import AlreadyHandled


class InMemoryCatalogUnit(InMemoryMenuUnit):
    """One unit of work on a copy of the state."""

    def __init__(self, state: State, *, now: datetime, cause: Envelope | None) -> None:
        super().__init__(state, now=now)
        self._cause = cause
        self.sealed: list[Envelope] = []

    def emit(self, event: Event) -> None:
        """Keep an outgoing event until the unit ends well."""
        self.sealed.append(seal(event, now=self.now, cause=self._cause))

    async def claim(self, reservation: Reservation) -> Reservation | None:
        """Keep the reservation unless its order has one; give the one that was there first."""
        key = (reservation.shop_id, reservation.order_id)
        earlier = self._state.reservations.get(key)
        if earlier is None:
            self._state.reservations[key] = reservation
        return earlier

    async def reservation(self, shop_id: ShopId, order_id: OrderId) -> Reservation | None:
        """Find the reservation of an order."""
        return self._state.reservations.get((shop_id, order_id))

    async def save_reservation(self, reservation: Reservation) -> None:
        """Replace a reservation."""
        self._state.reservations[reservation.shop_id, reservation.order_id] = reservation

    async def offers(
        self, shop_id: ShopId, product_ids: Sequence[ProductId]
    ) -> dict[ProductId, Offer]:
        """Find products with their stock."""
        known = [i for i in sorted(product_ids) if (shop_id, i) in self._state.products]
        return {
            i: Offer(product=self._state.products[shop_id, i], level=self._state.levels[shop_id, i])
            for i in known
        }

    async def hold(self, reservation: Reservation) -> bool:
        """Hold all quantities, or none."""
        try:
            self._move(MoveKind.HELD, reservation)
        except StockCorrupted:
            return False
        return True

    async def sell(self, reservation: Reservation) -> None:
        """Turn held into sold."""
        self._move(MoveKind.SOLD, reservation)

    async def release(self, reservation: Reservation) -> None:
        """Turn held into left."""
        self._move(MoveKind.RELEASED, reservation)

    async def record_refusal(self, refusal: RefusedTransition) -> None:
        """Keep a step that was refused."""
        self._state.refusals.setdefault(refusal.event_id, refusal)

    async def receive(self, delivery: Delivery) -> bool:
        """Add a delivery unless it was counted before."""
        mark = (delivery.shop_id, delivery.id, delivery.product_id)
        if mark in self._state.deliveries:
            return False
        self._state.deliveries.add(mark)
        move = StockMove(
            product_id=delivery.product_id,
            kind=MoveKind.RECEIVED,
            quantity=delivery.quantity,
            key=delivery.id,
            author=delivery.author,
            at=self.now,
        )
        self._follow(delivery.shop_id, [move])
        return True

    async def counted(self, goods: Delivery | Correction) -> int | None:
        """Tell how much was counted before under this id, if anything."""
        mark = (goods.shop_id, goods.product_id, goods.kind, goods.id)
        for shop, move in self._state.ledger:
            if (shop, move.product_id, move.kind, move.key) == mark:
                return move.quantity
        return None

    async def correct(self, correction: Correction) -> bool:
        """Change what came in, unless less would be left than nothing."""
        move = StockMove(
            product_id=correction.product_id,
            kind=MoveKind.CORRECTED,
            quantity=correction.change,
            key=correction.id,
            author=correction.author,
            reason=correction.reason,
            at=self.now,
        )
        try:
            self._follow(correction.shop_id, [move])
        except StockCorrupted:
            return False
        return True

    def _move(self, kind: MoveKind, reservation: Reservation) -> None:
        moves = [
            StockMove(
                product_id=product_id,
                kind=kind,
                quantity=quantity,
                key=reservation.order_id,
                at=self.now,
            )
            for product_id, quantity in reservation.quantities.items()
        ]
        self._follow(reservation.shop_id, moves)

    def _follow(self, shop_id: ShopId, moves: Sequence[StockMove]) -> None:
        try:
            moved = {
                (shop_id, move.product_id): self._state.levels[shop_id, move.product_id].follow(
                    move
                )
                for move in moves
            }
        except KeyError as exc:
            raise StockCorrupted(f"no stock of {exc.args[0]}") from exc
        self._state.levels.update(moved)
        for move in moves:
            numbered = replace(move, sequence=len(self._state.ledger) + 1)
            self._state.ledger.append((shop_id, numbered))


class InMemoryCatalog(InMemoryCatalogReader):
    """Store, reader and topic in one; `published` holds what went out, in order."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._state = State()
        self._turn = asyncio.Lock()
        self.published: list[Envelope] = []

    @asynccontextmanager
    async def begin(self, cause: Envelope | None = None) -> AsyncIterator[InMemoryCatalogUnit]:
        """Open a unit of work; raise `AlreadyHandled` when the effect of `cause` is committed."""
        async with self._turn:
            state = self._state.copy()
            if cause is not None:
                if cause.id in state.inbox:
                    raise AlreadyHandled(cause.id)
                state.inbox.add(cause.id)
            unit = InMemoryCatalogUnit(state, now=self._clock(), cause=cause)
            yield unit
            self._state = state
            self.published.extend(unit.sealed)
