"""The archive in memory: what tests and other adapters are held against."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime

from comanda.ids import ShopId
from workers.archive.model import Entry, Place
from workers.archive.ports import ChangedMeanwhile, Person

Chooser = Callable[[Entry], bool]


class InMemoryObjects:
    """Objects as plain lists of lines."""

    def __init__(self) -> None:
        self.objects: dict[str, list[str]] = {}

    async def put(self, key: str, lines: Sequence[str]) -> None:
        """Write a new object."""
        self.objects[key] = list(lines)

    async def get(self, key: str) -> list[str]:
        """Read an object's lines; none when there is no such object."""
        return list(self.objects.get(key, ()))

    async def rewrite(self, key: str, lines: Sequence[str], *, was: Sequence[str]) -> None:
        """Write an object again, unless it is not what it was."""
        if self.objects.get(key, []) != list(was):
            raise ChangedMeanwhile(key)
        self.objects[key] = list(lines)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """Give all names that begin so, in order."""
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield key

    async def ping(self) -> None:
        """Answer."""


class InMemoryIndex:
    """Rows by the ids of events, and aliases beside them."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Entry, Place]] = {}
        self._aliases: dict[Person, dict[str, None]] = {}
        self._expected: dict[Person, list[str]] = {}

    async def known(self, entries: Collection[Entry]) -> set[str]:
        """Give the ids of those that are indexed already."""
        return {entry.event_id for entry in entries} & self.rows.keys()

    async def add(self, placed: Sequence[tuple[Entry, Place]]) -> None:
        """Index all."""
        for entry, place in placed:
            self.rows[entry.event_id] = (entry, place)
            for alias in entry.aliases:
                self._aliases.setdefault((entry.shop_id, alias), {})[entry.event_id] = None

    async def expect(self, people: Collection[Person], key: str) -> None:
        """Note that an object will name these people."""
        for person in people:
            self._expected.setdefault(person, []).append(key)

    async def expected(self, shop_id: ShopId, customer_id: str) -> list[str]:
        """Give the objects that were noted for a customer."""
        return list(self._expected.get((shop_id, customer_id), ()))

    async def unexpect(self, shop_id: ShopId, customer_id: str, key: str) -> None:
        """Drop such a note."""
        self._expected[shop_id, customer_id].remove(key)

    async def of_subject(
        self, shop_id: ShopId, subject: str, *, until: datetime | None = None
    ) -> list[tuple[Entry, Place]]:
        """Give all events about a subject, or about that to which an alias leads, by time."""
        led = self._aliases.get((shop_id, subject), {})
        subjects = {subject, *(self.rows[it][0].subject for it in led)}
        return self._chosen(shop_id, lambda it: it.subject in subjects, until)

    async def of_conversation(
        self, shop_id: ShopId, conversation: str, *, until: datetime | None = None
    ) -> list[tuple[Entry, Place]]:
        """Give all events of a conversation, by time."""
        return self._chosen(shop_id, lambda it: it.conversation == conversation, until)

    async def of_person(self, shop_id: ShopId, customer_id: str) -> list[tuple[Entry, Place]]:
        """Give all events that still name a customer."""
        named = self._aliases.get((shop_id, customer_id), {})
        return self._chosen(shop_id, lambda it: it.event_id in named, None)

    async def forget_person(
        self, shop_id: ShopId, customer_id: str, entry: Entry, place: Place
    ) -> None:
        """Put `entry` in the place of what named the customer, whose alias for it goes."""
        self.rows[entry.event_id] = (entry, place)
        self._aliases.get((shop_id, customer_id), {}).pop(entry.event_id, None)

    async def ping(self) -> None:
        """Answer."""

    def _chosen(
        self, shop_id: ShopId, chooses: Chooser, until: datetime | None
    ) -> list[tuple[Entry, Place]]:
        found = [
            (entry, place)
            for entry, place in self.rows.values()
            if entry.shop_id == shop_id and chooses(entry) and (until is None or entry.at <= until)
        ]
        return sorted(found, key=lambda it: (it[0].at, it[0].event_id))
