"""Have payments read charges at the provider again, and note who asked and why."""

import asyncio
from collections.abc import Iterator

from console.commands.asking import Asked
from console.commands.naming import operator, order_id_of
from console.commands.noting import DoorNotebook
from console.door import JSON, DoorRefused
from console.queues.noting import Note

Row = tuple[str, str, str]


def read_again(ask: Asked, *, named: str, of_cases: bool, why: str) -> list[Row]:
    """Ask for every charge of the named order and of open cases; give what became of each."""
    orders = [order_id_of(ask, named)] if named else []
    if of_cases:
        cases = ask.read("payments", "/cases", limit=200)["cases"]
        orders += [it["order_id"] for it in cases if it["order_id"]]
    charges = [it for order in dict.fromkeys(orders) for it in _charges(ask, order)]
    notebook = DoorNotebook(ask.places, shop=ask.shop)
    return [_checked(ask, charge, notebook=notebook, why=why) for charge in charges]


def _charges(ask: Asked, order: str) -> Iterator[JSON]:
    yield from ask.read("payments", "/charges", order_id=order)["charges"]


def _checked(ask: Asked, charge: JSON, *, notebook: DoorNotebook, why: str) -> Row:
    before = {"status": charge["status"], "charged": charge["charged"]}
    note = Note(
        what="payments.checked", whom=charge["id"], why=why, operator=operator(), before=before
    )
    outcome = "asked for"
    try:
        ask.send("payments", f"/charges/{charge['id']}/check", {})
    except DoorRefused as exc:
        # The others are still to be asked for.
        outcome = f"refused: {exc}"
    # A question changes nothing by itself, and money must not wait for the archive.
    asyncio.run(notebook.tell(note, {"outcome": outcome[:200]}))
    return charge["id"], charge["status"], outcome
