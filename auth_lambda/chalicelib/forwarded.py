"""The browser behind our own screens, which ask for everybody from one address: their signed word
says whose request it is, and nobody else's word does.
"""

import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from comanda.forwarding import InvalidKeys, Keys, Target, address_in, keys_in

from .aws import Unavailable

log = logging.getLogger("auth_lambda")
# So long after a rotation the new key is known; so often a secret that is not there is asked for.
_KEPT_FOR = timedelta(minutes=1)


class Screens:
    """Read what the screens tell; `read` gives the secret with the keys that they and we have."""

    def __init__(self, read: Callable[[], str], *, clock: Callable[[], datetime]) -> None:
        self._read = read
        self._clock = clock
        self._keys: Keys = ()
        self._asked_at = datetime.min.replace(tzinfo=UTC)
        self._asking = threading.Lock()

    def address_in(self, text: str, *, target: Target) -> str | None:
        """Give the browser's address; None if what was told is not fresh, or not from us."""
        now = self._clock()
        address = address_in(text, target=target, now=now, keys=self._known(now))
        if address is None:
            # Neither the address nor who told it: anybody may send the header.
            log.info("a client's address was told and not believed")
        return address

    def _known(self, now: datetime) -> Keys:
        with self._asking:
            if now - self._asked_at >= _KEPT_FOR:
                self._asked_at = now
                self._keys = self._fetched()
        return self._keys

    def _fetched(self) -> Keys:
        # Without keys the screens are counted as one, as anybody is; a sign-in does not end for it.
        try:
            return keys_in(str(json.loads(self._read())["keys"]))
        except Unavailable as exc:
            log.warning("the screens' keys cannot be read", extra={"reason": str(exc)})
        except (InvalidKeys, ValueError, KeyError, TypeError) as exc:
            log.error("the screens' keys are none", extra={"reason": type(exc).__name__})
            return ()
        return self._keys
