"""Keep access tokens between commands, for whoever signs in with each would soon be refused.

A token is good for fifteen minutes; a file of it, which only its owner may read, for ten.
"""

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path

GOOD_FOR = 600.0


def cache_folder() -> Path:
    """Give the user's own folder for what may be lost."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "comanda"


class TokenFiles:
    """Tokens by whose they are and where; without a folder that can be written, none is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, *whose: str) -> str | None:
        """Give a token that is fresh enough."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            content = json.loads(self._file(whose).read_text())
            if 0 <= time.time() - float(content["at"]) < GOOD_FOR:
                return str(content["token"])
        return None

    def put(self, token: str, *whose: str) -> None:
        """Keep a token."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._file(whose)
            half = file.with_suffix(f".{os.getpid()}")
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                json.dump({"token": token, "at": time.time()}, out)
            half.rename(file)

    def forget(self, *whose: str) -> None:
        """Drop a token that was refused."""
        with suppress(OSError):
            self._file(whose).unlink()

    def _file(self, whose: tuple[str, ...]) -> Path:
        name = hashlib.sha256("\n".join(whose).encode()).hexdigest()[:24]
        return self._folder / f"{name}.json"
