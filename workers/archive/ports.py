"""What the archive needs: a store of objects, and an index by which events are found."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Protocol

from comanda.ids import ShopId
from workers.archive.model import Entry, Place

# A shop, and a customer of its by id.
Person = tuple[ShopId, str]


class ChangedMeanwhile(Exception):
    """Somebody else wrote the object since it was read."""


class Objects(Protocol):
    """Compressed JSON lines under names; all raise `StoreUnavailable` when out of reach."""

    async def put(self, key: str, lines: Sequence[str]) -> None:
        """Write a new object."""

    async def get(self, key: str) -> list[str]:
        """Read an object's lines; none when there is no such object."""

    async def rewrite(self, key: str, lines: Sequence[str], *, was: Sequence[str]) -> None:
        """Write an object again, unless it is not what it was: `ChangedMeanwhile`."""

    def keys(self, prefix: str) -> AsyncIterator[str]:
        """Give all names that begin so, in order."""

    async def ping(self) -> None:
        """Raise when the store does not answer."""


class Index(Protocol):
    """Where each event lies; all raise `StoreUnavailable` when out of reach."""

    async def known(self, entries: Collection[Entry]) -> set[str]:
        """Give the ids of those that are indexed already, as far as it is known by now."""

    async def add(self, placed: Sequence[tuple[Entry, Place]]) -> None:
        """Index all, or raise; one that is indexed already is indexed anew."""

    async def expect(self, people: Collection[Person], key: str) -> None:
        """Note, before it is written, that an object will name these people.

        A crash before it is indexed must not hide it from their erasure.
        """

    async def expected(self, shop_id: ShopId, customer_id: str) -> list[str]:
        """Give the objects that were noted for a customer, written or not."""

    async def unexpect(self, shop_id: ShopId, customer_id: str, key: str) -> None:
        """Drop such a note: the object names the customer no more."""

    async def of_subject(
        self, shop_id: ShopId, subject: str, *, until: datetime | None = None
    ) -> list[tuple[Entry, Place]]:
        """Give all events about a subject, or about that to which an alias leads, by time."""

    async def of_conversation(
        self, shop_id: ShopId, conversation: str, *, until: datetime | None = None
    ) -> list[tuple[Entry, Place]]:
        """Give all events of a conversation, by time."""

    async def of_person(self, shop_id: ShopId, customer_id: str) -> list[tuple[Entry, Place]]:
        """Give all events that still name a customer."""

    async def forget_person(
        self, shop_id: ShopId, customer_id: str, entry: Entry, place: Place
    ) -> None:
        """Put `entry` in the place of what named the customer, whose alias for it goes."""

    async def ping(self) -> None:
        """Raise when the store does not answer."""
