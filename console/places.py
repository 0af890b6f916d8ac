"""Where a running Comanda is, and as whom to ask: from the environment, or a laptop's own file."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ENVIRONMENT = "COMANDA_PLACES"
# Whose laptop, for a command that is typed in another folder; `bin/comanda` sets it.
ROOT = "COMANDA_ROOT"
STATE = Path(".comanda")
FILE = "places.json"


class PlacesUnknown(Exception):
    """Nothing says where Comanda runs; the text says what would."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A member of a shop's staff; the password is in no `repr`."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A shop's account at the provider; the token is in no `repr`."""

    access_token: str = field(repr=False)
    user_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """The public address, who asks in each shop, and how to see the provider's books.

    With `simulator`, the truth is what Mercado Pago's simulator holds; else `accounts` are searched
    at `mercadopago`. `sqs` is a laptop's bus; elsewhere the environment's own keys lead to the
    queues of `stage`. `traces` is the file where a laptop keeps spans.
    """

    edge: str
    logins: Mapping[str, Login]
    simulator: str | None = None
    mercadopago: str | None = None
    accounts: Mapping[str, Account] = field(default_factory=dict)
    stage: str = ""
    sqs: str | None = None
    traces: str | None = None


def find_places(file: Path | None = None) -> Places:
    """Read the file that is named, that `COMANDA_PLACES` names, or of the laptop's newest run."""
    return _read(json.loads(places_file(file).read_text()))


def places_file(file: Path | None = None) -> Path:
    """Find that file; raise `PlacesUnknown`."""
    named = file or (Path(os.environ[ENVIRONMENT]) if ENVIRONMENT in os.environ else None)
    chosen = named or max(
        (Path(os.environ.get(ROOT, "")) / STATE).glob(f"*/{FILE}"),
        key=lambda path: path.stat().st_mtime,
        default=None,
    )
    if chosen is None or not chosen.exists():
        raise PlacesUnknown(
            f"start the laptop (`make run`), or name a file with --places or {ENVIRONMENT}"
        )
    return chosen


def _read(content: Mapping[str, Any]) -> Places:
    return Places(
        edge=content["edge"],
        logins={shop: Login(**login) for shop, login in content["logins"].items()},
        simulator=content.get("simulator"),
        mercadopago=content.get("mercadopago"),
        accounts={s: Account(**account) for s, account in content.get("accounts", {}).items()},
        stage=content.get("stage", ""),
        sqs=content.get("sqs"),
        traces=content.get("traces"),
    )
