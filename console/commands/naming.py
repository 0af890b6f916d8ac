"""What people type for an order, and who they say they are."""

import getpass
import os

from comanda.ids import is_id
from console.commands.asking import Asked, give_up


def order_id_of(ask: Asked, named: str) -> str:
    """Give the id of an order that is named by it, or by its call number of today."""
    if is_id(named):
        return named
    if not named.isascii() or not named.isdecimal():
        give_up(f"{named!r} is neither an order's id nor a call number")
    found = ask.read("orders", "/orders", call_number=int(named), limit=1)["orders"]
    if not found:
        give_up(f"no order of today has the call number {named}")
    return str(found[0]["id"])


def operator() -> str:
    """Give who types: `COMANDA_OPERATOR`, else the machine's user."""
    return os.environ.get("COMANDA_OPERATOR") or getpass.getuser()
