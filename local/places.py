"""Tell the console where this laptop is and as whom to ask, in a file of the run's own folder."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.provision.context import StaffLogin

FILE = "places.json"
ASKING = "owner"
# As `local.system` has it, which needs all of the laptop to be imported.
STAGE = "laptop"
# In whose name the robot cooks.
COOKING = "kitchen"


def write_places(folder: Path, *, urls: Mapping[str, str], staff: Sequence[StaffLogin]) -> None:
    """Write the file that `python -m console` finds; only its owner may read it."""
    content = {
        "edge": urls["edge"],
        "simulator": urls["mercadopago"],
        "stage": STAGE,
        "sqs": urls["bus"],
        **({"traces": str(folder / "traces" / "spans.jsonl")} if "traces" in urls else {}),
        "logins": _logins(staff, ASKING),
        "kitchens": _logins(staff, COOKING),
    }
    half = folder / f"{FILE}.half"
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(content, out)
    half.rename(folder / FILE)


def _logins(staff: Sequence[StaffLogin], group: str) -> dict[str, dict[str, str]]:
    return {
        str(login.shop): {"username": login.username, "password": login.password}
        for login in staff
        if group in login.groups
    }
