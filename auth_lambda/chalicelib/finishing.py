"""A schedule rings; what broke half-way for a customer is finished."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .aws import Unavailable
from .refusals import NoProfile
from .unfinished import Errand, Note, Unfinished

log = logging.getLogger("auth_lambda")
Finish = Callable[[Note], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finisher:
    """Go through the notes; each errand has one who knows how to finish it, and may be repeated."""

    unfinished: Unfinished
    errands: Mapping[Errand, Finish]

    def finish_all(self) -> int:
        """Finish what is left and give how many; what cannot be is left for the next time."""
        finished = 0
        for note in self.unfinished.left():
            try:
                self.errands[note.errand](note)
            except NoProfile:
                # Nobody is there any more of whom anything could be left.
                self.unfinished.finish(note.errand, note.customer_id)
            except Unavailable as exc:
                facts = {"errand": note.errand, "reason": str(exc)}
                log.error("errand left unfinished", extra=facts)
                continue
            finished += 1
        if finished:
            log.warning("errands finished", extra={"count": finished})
        return finished
