"""A unit of work of orders in memory: writes gather, and happen all or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Self

from comanda.envelope import Envelope, seal
from comanda.events import Event
from comanda.ids import CustomerId, OrderId, ProductId, ReservationId, ShopId
from comanda.money import Money
from workers.orders.claims import Claim, ClaimKey
from workers.orders.feed import FeedEntry
from workers.orders.lines import MenuItem
from workers.orders.mail import Contact, Mail
from workers.orders.model import Order, Pix
from workers.orders.shop_rules import ShopRules
from workers.runtime.errors import Conflict

OrderKey = tuple[ShopId, OrderId]


@dataclass(kw_only=True, slots=True)
class State:
    """Everything that is committed; a unit's writes are tried on a copy."""

    orders: dict[OrderKey, Order] = field(default_factory=dict)
    menu: dict[tuple[ShopId, ProductId], MenuItem] = field(default_factory=dict)
    rules: dict[ShopId, ShopRules] = field(default_factory=dict)
    claims: dict[ClaimKey, Claim] = field(default_factory=dict)
    numbers: dict[tuple[ShopId, date], int] = field(default_factory=dict)
    feed: dict[tuple[ShopId, str], FeedEntry] = field(default_factory=dict)
    readers: dict[tuple[ShopId, str], str] = field(default_factory=dict)
    mails: dict[str, Mail] = field(default_factory=dict)
    leases: dict[str, datetime] = field(default_factory=dict)
    contacts: dict[tuple[ShopId, CustomerId], Contact] = field(default_factory=dict)
    inbox: set[str] = field(default_factory=set)

    def copy(self) -> Self:
        """Copy the containers; what they hold is frozen."""
        return type(self)(
            orders=dict(self.orders),
            menu=dict(self.menu),
            rules=dict(self.rules),
            claims=dict(self.claims),
            numbers=dict(self.numbers),
            feed=dict(self.feed),
            readers=dict(self.readers),
            mails=dict(self.mails),
            leases=dict(self.leases),
            contacts=dict(self.contacts),
            inbox=set(self.inbox),
        )


_Write = Callable[[State], None]


class InMemoryOrdersUnit:
    """Writes that gather until the end of the unit."""

    def __init__(self, state: State, *, now: datetime, cause: Envelope | None) -> None:
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

        def write(state: State) -> None:
            if (order.shop_id, order.id) in state.orders:
                raise Conflict
            state.orders[order.shop_id, order.id] = order

        self.writes.append(write)

    def save(self, order: Order) -> Order:
        """Replace an order of the version that was read."""
        saved = replace(order, version=order.version + 1)

        def write(state: State) -> None:
            found = state.orders.get((order.shop_id, order.id))
            if found is None or found.version != order.version:
                raise Conflict
            state.orders[order.shop_id, order.id] = saved

        self.writes.append(write)
        return saved

    def note_reservation(
        self, shop_id: ShopId, order_id: OrderId, *, reservation_id: ReservationId
    ) -> None:
        """Note the reservation of an order that has none."""

        def write(state: State) -> None:
            found = state.orders.get((shop_id, order_id))
            if found is None or found.reservation_id is not None:
                raise Conflict
            noted = replace(found, reservation_id=reservation_id, version=found.version + 1)
            state.orders[shop_id, order_id] = noted

        self.writes.append(write)

    def note_pix(self, shop_id: ShopId, order_id: OrderId, *, pix: Pix, total: Money) -> None:
        """Note the Pix code of an order that has none, and costs this much."""

        def write(state: State) -> None:
            found = state.orders.get((shop_id, order_id))
            if found is None or found.pix is not None or found.total != total:
                raise Conflict
            state.orders[shop_id, order_id] = replace(found, pix=pix, version=found.version + 1)

        self.writes.append(write)

    def enter(self, entry: FeedEntry) -> None:
        """Keep an entry of the feed."""
        self.writes.append(lambda s: s.feed.update({(entry.shop_id, entry.position): entry}))

    def post(self, mail: Mail) -> None:
        """Keep a mail that is owed."""
        self.writes.append(lambda s: s.mails.update({mail.position: mail}))

    def complete(self, claim: Claim, *, answer: str) -> None:
        """Give a claim its answer."""

        def write(state: State) -> None:
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

        def write(state: State) -> None:
            found = state.menu.get((item.shop_id, item.product_id))
            if found is not None and found.version >= item.version:
                raise Conflict
            state.menu[item.shop_id, item.product_id] = item

        self.writes.append(write)

    async def rules(self, shop_id: ShopId) -> ShopRules:
        """Find a shop's rules."""
        return self._state.rules.get(shop_id, ShopRules(shop_id=shop_id))

    def save_rules(self, rules: ShopRules) -> None:
        """Keep newer rules."""

        def write(state: State) -> None:
            found = state.rules.get(rules.shop_id)
            if found is not None and found.version >= rules.version:
                raise Conflict
            state.rules[rules.shop_id] = rules

        self.writes.append(write)

    async def contact(self, shop_id: ShopId, customer_id: CustomerId) -> Contact | None:
        """Find a customer's address."""
        return self._state.contacts.get((shop_id, customer_id))

    def save_contact(self, contact: Contact) -> None:
        """Keep a customer's address, if nothing was told since."""

        def write(state: State) -> None:
            key = contact.shop_id, contact.customer_id
            if key in state.contacts and state.contacts[key].told_at > contact.told_at:
                raise Conflict
            state.contacts[key] = contact

        self.writes.append(write)

    def forget_contact(self, shop_id: ShopId, customer_id: CustomerId) -> None:
        """Forget a customer's address."""

        def write(state: State) -> None:
            state.contacts.pop((shop_id, customer_id), None)

        self.writes.append(write)
