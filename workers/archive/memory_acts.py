"""Acts in memory, for tests and other adapters to be held against."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from comanda.ids import ShopId
from workers.archive.acts import Act, ActUnknown


class InMemoryActBook:
    """Acts as they were noted."""

    def __init__(self) -> None:
        self._acts: dict[tuple[ShopId, str], Act] = {}

    async def begin(self, act: Act) -> None:
        """Note what is about to be done."""
        self._acts[act.shop_id, act.id] = act

    async def end(
        self, shop_id: ShopId, act_id: str, *, who: str, after: Mapping[str, Any], now: datetime
    ) -> None:
        """Note what came of it, once."""
        act = self._acts.get((shop_id, act_id))
        if act is None or act.who != who or act.done_at is not None:
            raise ActUnknown(act_id)
        self._acts[shop_id, act_id] = replace(act, done_at=now, after=after)

    async def acts(self, shop_id: ShopId, *, limit: int) -> list[Act]:
        """Give the newest acts of a shop, the newest first."""
        found = [act for (shop, _), act in self._acts.items() if shop == shop_id]
        return sorted(found, key=lambda it: it.id, reverse=True)[:limit]
