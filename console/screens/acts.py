"""The acts of a shop's operators: noted in the archive in the name of whoever is signed in."""

import logging

from console.queues.noting import Facts, Note
from console.screens.contexts import Call, Context, Contexts, OutOfReach, Refused
from console.screens.sessions import Session

log = logging.getLogger(__name__)


class SessionNotebook:
    """Notes of one member of staff; `begin` raises `OutOfReach` and `Refused`."""

    def __init__(self, contexts: Contexts, session: Session) -> None:
        self._contexts = contexts
        self._session = session

    async def begin(self, note: Note) -> str:
        """Note what is about to be done."""
        body: dict[str, object] = {
            "what": note.what,
            "whom": note.whom,
            "why": note.why,
            "operator": note.operator,
            "before": dict(note.before),
        }
        begun = await self._contexts.read(self._call("", body))
        return str(begun["id"])

    async def end(self, act_id: str, after: Facts) -> None:
        """Note what came of it."""
        try:
            await self._contexts.ask(self._call(f"/{act_id}/end", {"after": dict(after)}))
        except (OutOfReach, Refused) as exc:
            log.warning("an act has no end", extra={"act": act_id, "reason": str(exc)})

    async def tell(self, note: Note, after: Facts) -> None:
        """Note what is done already and hurts nobody, such as a question: a failure is logged."""
        try:
            await self.end(await self.begin(note), after)
        except (OutOfReach, Refused) as exc:
            log.warning("an act is not noted", extra={"what": note.what, "reason": str(exc)})

    def _call(self, path: str, body: dict[str, object]) -> Call:
        return Call(
            method="POST",
            context=Context.ARCHIVE,
            shop=self._session.shop,
            path=f"/acts{path}",
            token=self._session.access_token,
            body=body,
        )
