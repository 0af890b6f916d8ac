"""Note what the command does to dead letters, in each shop that it may touch."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict

from console.door import Door, DoorClosed
from console.places import Places
from console.queues.noting import Facts, Note
from console.tokens import TokenFiles, cache_folder

log = logging.getLogger(__name__)


class DoorNotebook:
    """Notes in the archive of each of these shops; `begin` raises `DoorClosed`.

    Without a shop that somebody can sign in to, the log alone tells of the act.
    """

    def __init__(self, places: Places, *, shop: str) -> None:
        self._door = Door(places.edge, logins=places.logins, kept=TokenFiles(cache_folder()))
        self.shops: Sequence[str] = sorted({shop} & set(places.logins) if shop else places.logins)

    async def begin(self, note: Note) -> str:
        """Note what is about to be done, in all shops."""
        return await asyncio.to_thread(self._begin, note)

    async def end(self, act_id: str, after: Facts) -> None:
        """Note what came of it, in all shops."""
        try:
            await asyncio.to_thread(self._end, act_id, after)
        except DoorClosed as exc:
            log.warning("an act has no end", extra={"reason": str(exc)})

    async def tell(self, note: Note, after: Facts) -> None:
        """Note what is done already and hurts nobody, such as a question: a failure is logged."""
        try:
            await self.end(await self.begin(note), after)
        except DoorClosed as exc:
            log.warning("an act is not noted", extra={"what": note.what, "reason": str(exc)})

    def _begin(self, note: Note) -> str:
        body = asdict(note)
        acts = {
            shop: str(self._door.send(shop, f"/apis/archive/{shop}/acts", body=body)["id"])
            for shop in self.shops
        }
        return json.dumps(acts)

    def _end(self, act_ids: str, after: Facts) -> None:
        for shop, act_id in json.loads(act_ids).items():
            path = f"/apis/archive/{shop}/acts/{act_id}/end"
            self._door.send(shop, path, body={"after": dict(after)})
