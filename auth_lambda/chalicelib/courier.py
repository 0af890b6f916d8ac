"""Letters leave by another function, asked without waiting: an answer's time tells nothing.

Who is known gets a letter and who is not gets none, but the API does the same for both: it hands
over keyed names. `post.py` finds out what they mean.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from comanda.ids import ShopId

from .aws import ask
from .purposes import Purpose


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A code is wanted: for which session, by which keyed name, from which place, and for what."""

    shop_id: ShopId
    session: str
    name: str
    place: str
    purpose: Purpose = Purpose.SIGN_IN


class Courier:
    """Invoke `deliver_code`; Lambda keeps the request and repeats it when SES is down."""

    def __init__(self, client: Any, *, function: str) -> None:
        self._client = client
        self._function = function

    def take(self, letter: Letter) -> None:
        """Hand a letter over; raise `Unavailable`."""
        ask(
            self._client.invoke,
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps(asdict(letter)).encode(),
        )


def read_letter(event: dict[str, Any]) -> Letter:
    """Read what `Courier` wrote."""
    return Letter(
        shop_id=ShopId(event["shop_id"]),
        session=str(event["session"]),
        name=str(event["name"]),
        place=str(event["place"]),
        # A letter of before there were other purposes names none.
        purpose=Purpose(event.get("purpose", Purpose.SIGN_IN)),
    )
