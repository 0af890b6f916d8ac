"""Tell the console where this laptop is and as whom to ask, in a file of the run's own folder."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from local.provision.context import StaffLogin

FILE = "places.json"
ASKING = "owner"


def write_places(folder: Path, *, urls: Mapping[str, str], staff: Iterable[StaffLogin]) -> None:
    """Write the file that `python -m console` finds; only its owner may read it."""
    content = {
        "edge": urls["edge"],
        "simulator": urls["mercadopago"],
        "logins": {
            str(login.shop): {"username": login.username, "password": login.password}
            for login in staff
            if ASKING in login.groups
        },
    }
    half = folder / f"{FILE}.half"
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(content, out)
    half.rename(folder / FILE)
