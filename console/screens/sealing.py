"""What a browser keeps for us is sealed: it can neither read nor change it."""

import json
import zlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

LONGEST = 4000


class TooLarge(Exception):
    """Browsers drop a cookie of more than 4096 bytes without a word, so we do not send one."""


class Sealer:
    """Encrypt and sign small documents; the first key seals, all keys open."""

    def __init__(self, keys: str) -> None:
        self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",")])

    def seal(self, content: Mapping[str, Any]) -> str:
        """Seal a document; raise `TooLarge`."""
        sealed = self._fernet.encrypt(zlib.compress(json.dumps(content).encode())).decode()
        if len(sealed) > LONGEST:
            raise TooLarge
        return sealed

    def open(self, sealed: str, *, age: timedelta) -> dict[str, Any] | None:
        """Open what we sealed at most so long ago; None for everything else."""
        try:
            opened = self._fernet.decrypt(sealed.encode(), ttl=int(age.total_seconds()))
        except (InvalidToken, ValueError):
            return None
        content: dict[str, Any] = json.loads(zlib.decompress(opened))
        return content
