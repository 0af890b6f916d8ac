"""PostgreSQL refuses to run as root, so root borrows an ordinary user; others stay who they are."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from local.supervisor.parts import SystemFailed

NOBODY = 65534
# In a user namespace root is user 1000 to the server, and files stay owned by root: no account is
# made and nothing changes hands.
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
CHANGED_USER = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


class PostgresUnavailable(SystemFailed):
    """No PostgreSQL can be started here; the message says what would help."""


@dataclass(frozen=True, kw_only=True)
class OrdinaryUser:
    """What to put before a command, and who must own its files (None: whoever calls)."""

    prefix: tuple[str, ...] = ()
    owner: int | None = None

    def adopt(self, folder: Path) -> None:
        """Give the folder and all in it to this user."""
        if self.owner is None:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.owner, self.owner, follow_symlinks=False)


@cache
def ordinary_user() -> OrdinaryUser:
    """Choose how to be an ordinary user here; raise `PostgresUnavailable` when there is no way."""
    return choose_user(uid=os.geteuid(), works=_works)


def choose_user(*, uid: int, works: Callable[[tuple[str, ...]], bool]) -> OrdinaryUser:
    """Prefer a user namespace to changing the user; `works` tries a prefix."""
    if uid != 0:
        return OrdinaryUser()
    if works(NAMESPACE):
        return OrdinaryUser(prefix=NAMESPACE)
    if works(CHANGED_USER):
        return OrdinaryUser(prefix=CHANGED_USER, owner=NOBODY)
    raise PostgresUnavailable(
        "PostgreSQL does not run as root, and here neither `unshare --user` nor `setpriv` is"
        " allowed: run as an ordinary user, or set DATABASE_URL to a server of yours"
    )


def _works(prefix: tuple[str, ...]) -> bool:
    if shutil.which(prefix[0]) is None:
        return False
    return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
