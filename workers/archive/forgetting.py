"""An erasure arrives; the customer leaves every object and row that named them (LGPD)."""

from collections import defaultdict
from dataclasses import replace

from comanda.ids import ShopId
from workers.archive.model import Entry, Place, without_person
from workers.archive.ports import ChangedMeanwhile, Index, Objects

_ATTEMPTS = 5


class Eraser:
    """Take a customer out of the archive; safe to be done again."""

    def __init__(self, index: Index, objects: Objects) -> None:
        self._index = index
        self._objects = objects

    async def forget(self, shop_id: ShopId, customer_id: str) -> None:
        """Rewrite the objects, then the rows: what a crash leaves is found by its row again.

        Raises `ChangedMeanwhile` when others rewrite the same object all the time.
        """
        by_object: dict[str, list[tuple[Entry, Place]]] = defaultdict(list)
        for entry, place in await self._index.of_person(shop_id, customer_id):
            by_object[place.key].append((entry, place))
        for key, members in by_object.items():
            await self._rewrite(key, {place.line for _, place in members})
            for entry, place in members:
                bare = replace(entry, body=without_person(entry.body), aliases=())
                await self._index.forget_person(shop_id, customer_id, bare, place)

    async def _rewrite(self, key: str, numbers: set[int]) -> None:
        for attempt in range(_ATTEMPTS):
            was = await self._objects.get(key)
            lines = [without_person(it) if n in numbers else it for n, it in enumerate(was)]
            if lines == was:
                return  # Done before a crash, or past its retention.
            try:
                await self._objects.rewrite(key, lines, was=was)
            except ChangedMeanwhile:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return
