"""Each event of every topic arrives; it is kept, and an erasure reaches what was kept before."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from comanda.envelope import Envelope
from comanda.events import TYPES, CustomerErased, Event
from comanda.ids import ShopId
from workers.archive.model import Entry, entry_of


class Keeper(Protocol):
    """Whoever writes and indexes an entry before it returns."""

    async def keep(self, entry: Entry) -> None:
        """Return when the entry is kept; raise `StoreUnavailable`."""


class Forgetter(Protocol):
    """Whoever takes a customer out of what is kept."""

    async def forget(self, shop_id: ShopId, customer_id: str) -> None:
        """Return when no kept event names the customer; raise `StoreUnavailable`."""


async def keep_event(envelope: Envelope, *, keeper: Keeper, forgetter: Forgetter) -> None:  # noqa: ARG001  # All handlers are called alike.
    """Keep an event."""
    await keeper.keep(entry_of(envelope))


async def forget_customer(envelope: Envelope, *, keeper: Keeper, forgetter: Forgetter) -> None:
    """Keep the erasure, then take the customer out of all events so far."""
    event = envelope.event
    assert isinstance(event, CustomerErased)
    # Whatever came before it and was not written yet is written with it, and so found.
    await keeper.keep(entry_of(envelope))
    await forgetter.forget(event.shop_id, str(event.customer_id))


Handler = Callable[..., Awaitable[None]]
HANDLERS: Mapping[type[Event], Handler] = {
    **dict.fromkeys(TYPES.values(), keep_event),
    CustomerErased: forget_customer,
}
