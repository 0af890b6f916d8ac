"""`comanda closing`: a day of a shop added up, as the owner's page does."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from comanda.money import Money
from console.closing.closing import Closing, close
from console.closing.reading import read_papers
from console.closing.sheet import sheet
from console.commands.asking import (
    FOUND,
    Asked,
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    out,
    table,
    told,
)
from console.door import DoorRefused
from console.screens.wording import CHARGES, STATUSES, zone


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedBooks:
    """The contexts through the public door."""

    ask: Asked

    async def read(self, context: str, path: str, query: dict[str, str]) -> Any:
        """Read a resource of the shop; nothing else waits for this process meanwhile."""
        return self.ask.read(context, path, **query)

    async def has_order(self, order_id: str) -> bool:
        """Tell whether orders knows an order."""
        try:
            self.ask.read("orders", f"/orders/{order_id}")
        except DoorRefused as exc:
            if exc.status == 404:
                return False
            raise
        return True


def closing(
    *,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Which day; else the one that runs."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the sheet there, too.")] = None,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a day of the shop up; 1 when its orders and the ledger differ.

    Example: comanda closing --day 2026-11-20 --csv day.csv
    """
    with told():
        books = TypedBooks(ask=asked(places, shop))
        papers = asyncio.run(read_papers(books, day=day.date() if day else None))
    closed = close(papers, zone=zone())
    if csv is not None:
        csv.write_bytes(sheet(closed, statuses=STATUSES, charges=CHARGES))
    if as_json:
        answer_json(_plain(asdict(closed)))
    else:
        _show(closed)
    if closed.differences or closed.kept_by_orders != closed.kept_by_ledger:
        raise typer.Exit(FOUND)


def _show(closed: Closing) -> None:
    out.print(f"{closed.day.day}" + ("" if closed.is_whole else " (in part: too many orders)"))
    names = ("sold", "charged", "refunded", "disputed", "fees", "net")
    table("Sums", names, [[getattr(closed, name) for name in names]])
    table(
        "Orders", ("status", "orders", "sum"), [(s.name, s.count, s.amount) for s in closed.orders]
    )
    sold = [(product.name, product.quantity, product.amount) for product in closed.products]
    table("Products", ("product", "sold", "sum"), sold)
    differing = [
        (each.call_number or each.order_id, each.why, each.by_orders, each.by_ledger)
        for each in closed.differences
    ]
    table("Differences", ("order", "why", "by orders", "by the ledger"), differing)


def _plain(value: Any) -> Any:
    """Turn amounts into text; `asdict` has made dictionaries of them."""
    if isinstance(value, dict) and set(value) == {"cents"}:
        return str(Money(value["cents"]))
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value
