"""Choose at which point of which worker or API somebody dies next, and see that it happens."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.chaos.doom import Doom

_LOOK_EVERY = 0.05
# Where a death costs most: what is saved and not told, told and not done with, done and not gone.
_BOUNDARIES = ("commit", "publish", "delete", "_Member", "DynamoUnit")
# Where a worker waits most of its time with nothing in hand.
_IDLE = ("service.", "health", "receiv", "heartbeat.", "waiting.", "postgres_pool", "Consumer.run")
_AT_A_BOUNDARY, _AT_WORK = 0.5, 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class Struck:
    """How many points one part has, and at which of them nobody died."""

    part: str
    known: int
    spared: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class Fates:
    """The points of all workers and APIs; those at which the fewest died come first."""

    dooms: Mapping[str, Doom]
    _busy: set[str] = field(default_factory=set)
    _spared: set[str] = field(default_factory=set)

    async def fell(
        self, part: str, *, sent: signal.Signals, dice: random.Random, within: float
    ) -> bool:
        """Let a part fall at one of its points within so many seconds; tell whether it did."""
        doom = self.dooms[part]
        if part in self._busy or not (able := self._able(part)):
            return False
        self._busy.add(part)
        before = len(doom.struck())
        try:
            chosen = _telling(able, dice=dice)
            # Not all, or whatever comes first in every loop would always be the next.
            doom.ordain(dice.sample(chosen, k=(len(chosen) + 1) // 2), sent)
            has_fallen = await _until_struck(doom, more_than=before, within=within)
        finally:
            doom.withdraw()
            self._busy.discard(part)
        (self._spared.discard if has_fallen else self._spared.add)(part)
        return has_fallen

    def _able(self, part: str) -> list[str]:
        """Give the points to choose among; all, after nobody came past those that are left."""
        doom = self.dooms[part]
        known, struck = sorted(doom.seen()), Counter(doom.struck())
        fewest = min((struck[point] for point in known), default=0)
        return [point for point in known if part in self._spared or struck[point] == fewest]

    def told(self) -> tuple[Struck, ...]:
        """Tell of each part which of its points nobody died at."""
        return tuple(
            Struck(
                part=part,
                known=len(doom.seen()),
                spared=tuple(sorted(doom.seen() - set(doom.struck()))),
            )
            for part, doom in sorted(self.dooms.items())
        )


def _telling(able: list[str], *, dice: random.Random) -> list[str]:
    """Choose mostly what a message leads to; a worker at rest has nothing to lose."""
    how = dice.random()
    boundaries = [point for point in able if any(word in point for word in _BOUNDARIES)]
    working = [point for point in able if not any(word in point for word in _IDLE)]
    if how < _AT_A_BOUNDARY and boundaries:
        return boundaries
    return working if how < _AT_WORK and working else able


async def _until_struck(doom: Doom, *, more_than: int, within: float) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if len(doom.struck()) > more_than:
            return True
        await asyncio.sleep(_LOOK_EVERY)
    return False
