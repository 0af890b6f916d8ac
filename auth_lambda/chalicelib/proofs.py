"""A session and a code arrive; the round leaves if the code is right, and nothing otherwise."""

from contextlib import suppress
from dataclasses import dataclass

from comanda.ids import ShopId

from .aws import Unavailable
from .codes import Codes, Holder
from .sessions import Round, Sessions, reference_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Proofs:
    """Check codes so that nobody learns whether there is somebody behind a session."""

    sessions: Sessions
    codes: Codes

    def expect(self, reference: str) -> None:
        """Issue a code of nobody's for a session, which `check` compares with in need."""
        self.codes.issue(_nobody(reference), session=reference)

    def check(self, shop_id: ShopId, *, session: str, code: str) -> Round | None:
        """Count an attempt, and give the round that this code is right for.

        It is given again, if something broke after it, until its session is closed.
        """
        played = self.sessions.attempt(shop_id, session)
        # Who answers a session that nobody stands behind is checked against a code of nobody's:
        # the same reads and writes, and the same time.
        is_somebody = played is not None and played.holder is not None
        reference = reference_of(session)
        holder = played.holder if played and played.holder else _nobody(reference)
        is_right = self.codes.is_right(holder, code, session=reference)
        return played if is_somebody and is_right else None

    def close(self, played: Round) -> bool:
        """End a round that did what it was for; False if a twin of the request was faster."""
        is_ours = self.sessions.close(played.reference)
        if played.holder is not None:
            # With its session gone a used code is of no use, and it ends by itself.
            with suppress(Unavailable):
                self.codes.discard(played.holder, session=played.reference)
        return is_ours


def _nobody(reference: str) -> Holder:
    return Holder(owner=f"SESSION#{reference}", place="nobody")
