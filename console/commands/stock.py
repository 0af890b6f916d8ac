"""`comanda stock`: what is left, what came in, what was counted otherwise."""

from typing import Annotated
from uuid import uuid4

import typer

from console.commands.asking import (
    Asked,
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    give_up,
    out,
    plain,
    table,
    told,
)

stock = typer.Typer(no_args_is_help=True, help="What is left of each product.")
Product = Annotated[str, typer.Argument(help="A product's id, such as x-salada.")]
Key = Annotated[str, typer.Option("--key", help="Names the work: the same key counts once.")]
_COLUMNS = ("product_id", "received", "held", "sold", "left")


@stock.command("list")
def list_stock(
    *,
    below: Annotated[int | None, typer.Option(help="Only of what fewer are left.")] = None,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """List where the stock of each product is.

    Example: comanda stock list --below 10
    """
    with told():
        levels = asked(places, shop).read("catalog", "/stock")["levels"]
    found = [it for it in levels if below is None or it["left"] < below]
    if as_json:
        answer_json(found)
    else:
        rows = [[it[name] for name in _COLUMNS] for it in found]
        table("Stock", ("product", "received", "held", "sold", "left"), rows)


@stock.command()
def receive(
    product: Product,
    quantity: Annotated[int, typer.Argument(min=1, help="How many came.")],
    *,
    key: Key = "",
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count a delivery in.

    Example: comanda stock receive guarana 48
    """
    with told():
        ask = asked(places, shop)
        _count(ask, product, "deliveries", {"quantity": quantity}, key=key, as_json=as_json)


@stock.command()
def correct(
    product: Product,
    by: Annotated[int, typer.Option("--by", help="How many more, or below zero fewer.")],
    why: Annotated[str, typer.Option("--why", help="Why; it stands in the stock's ledger.")],
    *,
    key: Key = "",
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put right what the books say.

    Example: comanda stock correct guarana --by=-2 --why "two bottles broke"
    """
    body = {"change": by, "reason": why}
    with told():
        _count(asked(places, shop), product, "corrections", body, key=key, as_json=as_json)


def _count(
    ask: Asked, product: str, what: str, body: dict[str, object], *, key: str, as_json: bool
) -> None:
    named = {"Idempotency-Key": key or str(uuid4())}
    done = ask.send("catalog", f"/stock/{product}/{what}", body, headers=named)
    levels = ask.read("catalog", "/stock")["levels"]
    level = next((it for it in levels if it["product_id"] == product), None)
    if level is None:
        give_up(f"no product {product}")
    if as_json:
        answer_json({**level, "is_new": done["is_new"]})
        return
    again = "" if done["is_new"] else " (this key was counted before; nothing changed)"
    out.print(plain(f"{product}: {level['left']} left{again}"))
