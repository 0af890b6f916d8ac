"""What an invented customer is going to do, decided before they come in."""

import random
from dataclasses import dataclass
from enum import StrEnum


class Manner(StrEnum):
    """How a visit goes."""

    PAYS = "pays"
    HESITATES = "hesitates"
    PAYS_LATE = "pays late"
    GIVES_UP = "gives up"
    WALKS_AWAY = "walks away"


# Out of a hundred; most people who order want to eat.
_SHARES = {
    Manner.PAYS: 62,
    Manner.HESITATES: 18,
    Manner.PAYS_LATE: 8,
    Manner.GIVES_UP: 5,
    Manner.WALKS_AWAY: 7,
}
# Seconds between the menu and the order, and between the code and what follows.
_CHOOSING = {Manner.HESITATES: (8.0, 25.0)}
_QUICK_CHOICE = (0.5, 4.0)
_AFTER_CODE = {
    Manner.PAYS: (1.0, 6.0),
    Manner.HESITATES: (4.0, 15.0),
    Manner.PAYS_LATE: (45.0, 90.0),
    Manner.GIVES_UP: (3.0, 10.0),
    Manner.WALKS_AWAY: (0.0, 0.0),
}
_MOST_LINES = 3
_NAMES = ("", "", "Ana", "Bia", "Caio", "Davi", "Elisa", "Gil", "Iara", "João", "Lia", "Raí")


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One customer: in which shop, how, and with how many seconds of thought."""

    shop: str
    manner: Manner
    choosing: float
    after_code: float
    lines: int
    name: str


def next_visit(shops: tuple[str, ...], *, rng: random.Random) -> Visit:
    """Invent the next customer."""
    manner = rng.choices(list(_SHARES), weights=list(_SHARES.values()))[0]
    return Visit(
        shop=rng.choice(shops),
        manner=manner,
        choosing=rng.uniform(*_CHOOSING.get(manner, _QUICK_CHOICE)),
        after_code=rng.uniform(*_AFTER_CODE[manner]),
        lines=rng.randint(1, _MOST_LINES),
        name=rng.choice(_NAMES),
    )
