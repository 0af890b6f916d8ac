"""Orders in memory, with the promises of the real store: versions, conditions, all or nothing."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime

from comanda.envelope import Envelope
from comanda.ids import CustomerId, ShopId
from workers.orders.claims import Claim
from workers.orders.feed import BEGINNING, FeedEntry, Totals
from workers.orders.items import claim_key, order_key
from workers.orders.lines import Menu
from workers.orders.mail import LEASE, Contact, Mail
from workers.orders.memory_unit import InMemoryOrdersUnit, OrderKey, State
from workers.orders.model import BOARD, Order, OrderStatus
from workers.orders.ports import Audited, Page
from workers.orders.shop_rules import ShopRules
from workers.runtime.errors import AlreadyHandled, StoreUnavailable

_IN_FLIGHT = (OrderStatus.PENDING_PAYMENT, OrderStatus.RECEIVED, OrderStatus.IN_PREPARATION)


class InMemoryOrders:
    """Store, readers and topic in one; `published` holds what went out; `is_down` breaks it."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._state = State()
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

    async def get(self, shop_id: ShopId, order_id: str) -> Order | None:
        """Find an order."""
        return next((o for o in self._of(shop_id) if o.id == order_id), None)

    async def many(self, keys: Sequence[OrderKey]) -> list[Order]:
        """Find orders."""
        orders = self._reached().orders
        return [orders[key] for key in keys if key in orders]

    async def board(self, shop_id: ShopId) -> list[Order]:
        """List what the kitchen sees."""
        shown = [o for o in self._of(shop_id) if o.status in BOARD]
        return sorted(shown, key=lambda o: (BOARD.index(o.status), o.placed_at, o.id))

    async def of_owner(self, shop_id: ShopId, owner: str, *, page: Page) -> list[Order]:
        """List what one customer ordered, newest first."""
        theirs = [o for o in self._of(shop_id) if o.owner == owner]
        shown = [o for o in theirs if not page.after or o.placed_position < page.after]
        return sorted(shown, key=lambda o: o.placed_position, reverse=True)[: page.limit]

    async def of_day(
        self, shop_id: ShopId, day: date, *, page: Page, status: OrderStatus | None = None
    ) -> list[Order]:
        """List a day by call number."""
        of_day = [o for o in self._of(shop_id) if o.day == day and o.day_position > page.after]
        shown = [o for o in of_day if status is None or o.status is status]
        return sorted(shown, key=lambda o: o.day_position)[: page.limit]

    async def called(self, shop_id: ShopId, day: date, *, number: int) -> list[Order]:
        """Find the order of a call number."""
        return [o for o in self._of(shop_id) if (o.day, o.call_number) == (day, number)]

    async def in_flight(self, shop_id: ShopId, day: date) -> int:
        """Count the orders of a day that wait for payment or are to be made."""
        return sum(o.day == day and o.status in _IN_FLIGHT for o in self._of(shop_id))

    async def totals(self, shop_id: ShopId, *, now: datetime) -> Totals:  # noqa: ARG002  # The port's.
        """Add up all orders of a shop."""
        return Totals().fold(await self.feed(shop_id, after=BEGINNING, before="~", limit=10**6))

    async def feed(
        self, shop_id: ShopId, *, after: str, before: str, limit: int
    ) -> list[FeedEntry]:
        """List entries of the feed."""
        found = [
            entry
            for (shop, position), entry in self._reached().feed.items()
            if shop == shop_id and after < position <= before
        ]
        return sorted(found, key=lambda entry: entry.position)[:limit]

    async def acknowledged(self, shop_id: ShopId, reader: str) -> str:
        """Give what a reader acknowledged."""
        return self._reached().readers.get((shop_id, reader), BEGINNING)

    async def acknowledge(self, shop_id: ShopId, reader: str, *, position: str) -> None:
        """Move a reader on."""
        readers = self._reached().readers
        readers[shop_id, reader] = max(readers.get((shop_id, reader), BEGINNING), position)

    async def audit(self, shop_id: ShopId, *, page: Page) -> Audited:
        """List the orders and claims of a shop by their keys in the table."""
        claims = (c for c in self._reached().claims.values() if c.key.shop_id == shop_id)
        found: dict[str, Order | Claim] = {claim_key(claim.key)["pk"]: claim for claim in claims}
        found |= {order_key(shop_id, order.id)["pk"]: order for order in self._of(shop_id)}
        behind = sorted(position for position in found if position > page.after)
        shown = behind[: page.limit]
        return Audited(
            orders=tuple(o for key in shown if isinstance(o := found[key], Order)),
            claims=tuple(c for key in shown if isinstance(c := found[key], Claim)),
            last=shown[-1] if len(behind) > page.limit else None,
        )

    async def ping(self) -> None:
        """Reach the store, or raise."""
        self._reached()

    async def menu(self, shop_id: ShopId) -> Menu:
        """List our copies of a shop's products."""
        state = self._reached()
        items = {i.product_id: i for i in state.menu.values() if i.shop_id == shop_id}
        return Menu(rules=state.rules.get(shop_id, ShopRules(shop_id=shop_id)), items=items)

    async def owed(self, *, limit: int) -> list[Mail]:
        """List what is to be sent."""
        mails = self._reached().mails
        return [mails[position] for position in sorted(mails)[:limit]]

    async def take(self, mail: Mail, *, now: datetime) -> bool:
        """Take a mail for the time of its lease."""
        state = self._reached()
        leased_until = state.leases.get(mail.position)
        if mail.position not in state.mails or (leased_until and leased_until > now):
            return False
        state.leases[mail.position] = now + LEASE
        return True

    async def sent(self, mail: Mail) -> None:
        """Forget a mail."""
        self._reached().mails.pop(mail.position, None)

    async def contact(self, shop_id: ShopId, customer_id: CustomerId) -> Contact | None:
        """Find a customer's address."""
        return self._reached().contacts.get((shop_id, customer_id))

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

    def _reached(self) -> State:
        if self.is_down:
            raise StoreUnavailable
        return self._state
