"""An erasure arrives; the customer leaves every object and row that named them (LGPD)."""

from dataclasses import replace

from comanda.ids import ShopId
from workers.archive.model import names, without_person
from workers.archive.ports import ChangedMeanwhile, Index, Objects

_ATTEMPTS = 5


class Eraser:
    """Take a customer out of the archive; safe to be done again."""

    def __init__(self, index: Index, objects: Objects) -> None:
        self._index = index
        self._objects = objects

    async def forget(self, shop_id: ShopId, customer_id: str) -> None:
        """Rewrite the objects, then the rows: what a crash leaves is found by its row again.

        An object that a crash kept out of the index is found by the note that was made before it
        was written. Raises `ChangedMeanwhile` when others rewrite the same object all the time.
        """
        found = await self._index.of_person(shop_id, customer_id)
        noted = await self._index.expected(shop_id, customer_id)
        for key in sorted({*noted, *(place.key for _, place in found)}):
            await self._rewrite(key, shop_id, customer_id)
        for entry, place in found:
            bare = replace(entry, body=without_person(entry.body), aliases=())
            await self._index.forget_person(shop_id, customer_id, bare, place)
        for key in noted:
            await self._index.unexpect(shop_id, customer_id, key)

    async def _rewrite(self, key: str, shop_id: ShopId, customer_id: str) -> None:
        for attempt in range(_ATTEMPTS):
            was = await self._objects.get(key)
            lines = [without_person(it) if names(it, shop_id, customer_id) else it for it in was]
            if lines == was:
                return  # Done before a crash, past its retention, or never written.
            try:
                await self._objects.rewrite(key, lines, was=was)
            except ChangedMeanwhile:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return
