"""`comanda order` and `journey`: one order's story, and those of a day."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from console.commands.asking import (
    Asked,
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    out,
    plain,
    table,
    told,
)
from console.commands.naming import order_id_of

order = typer.Typer(no_args_is_help=True, help="Orders: one, or those of a day.")
Named = Annotated[str, typer.Argument(help="An order's id, or its call number of today.")]


@order.command("list")
def list_orders(
    *,
    day: Annotated[str, typer.Option(help="A day such as 2026-11-20.")] = "",
    status: Annotated[str, typer.Option(help="A status such as RECEIVED.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """List orders, the newest first.

    Example: comanda order list --status IN_PREPARATION
    """
    wanted = {"day": day, "status": status}
    with told():
        query = {name: value for name, value in wanted.items() if value}
        found = asked(places, shop).read("orders", "/orders", limit=limit, **query)["orders"]
    if as_json:
        answer_json(found)
        return
    rows = [
        (
            it["call_number"],
            it["status"],
            it["total"],
            _minutes(it["waiting_seconds"]),
            it["placed_at"],
            it["id"],
        )
        for it in found
    ]
    table("Orders", ("call", "status", "total", "waits", "placed", "id"), rows)


@order.command("show")
def show_order(
    order_id: Named,
    *,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an order with its history, its charges and why it is where it is.

    Example: comanda order show 37
    """
    with told():
        ask = asked(places, shop)
        found = _order(ask, order_id)
        charges = ask.read("payments", "/charges", order_id=found["id"])["charges"]
    if as_json:
        answer_json({**found, "charges": charges})
        return
    out.print(f"[bold]{found['call_number']}[/] {found['status']} {found['total']} {found['id']}")
    out.print(f"waits {_minutes(found['waiting_seconds'])}, placed {found['placed_at']}")
    rows = [(it.get("at"), it.get("status"), it.get("reason")) for it in found["history"]]
    table("History", ("at", "status", "reason"), rows)
    lines = [(it["quantity"], it["name"], it["unit_price"], it["notes"]) for it in found["lines"]]
    table("Lines", ("n", "what", "each", "notes"), lines)
    _show_charges(charges)


def journey(
    order_id: Named,
    *,
    as_of: Annotated[str, typer.Option(help="Only up to this instant, with its zone.")] = "",
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell every event of an order, with the states before and after, and how long each took.

    Example: comanda journey 37
    """
    with told():
        ask = asked(places, shop)
        found = ask.read(
            "archive",
            f"/orders/{order_id_of(ask, order_id)}/journey",
            **({"as_of": as_of} if as_of else {}),
        )
    if as_json:
        answer_json(found)
        return
    rows = [
        (
            it["event"]["time"],
            f"+{it['seconds_after_previous']:.1f} s",
            it["event"]["type"],
            _change(it["before"], it["after"]),
            it["event"]["id"],
        )
        for it in found["steps"]
    ]
    table(f"Order {found['order_id']}", ("at", "after", "event", "changed", "event id"), rows)


def _order(ask: Asked, named: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = ask.read("orders", f"/orders/{order_id_of(ask, named)}")
    return found


def _show_charges(charges: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        (it["id"], it["status"], it["amount"], it["charged"], it["refunded"], it["provider_id"])
        for it in charges
    ]
    columns = ("charge", "status", "expected", "came", "went back", "at the provider")
    table("Charges", columns, rows)


def _change(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    changed = [
        f"{name}: {before[name] or '-'} → {after[name] or '-'}"
        for name in after
        if before[name] != after[name]
    ]
    return ", ".join(changed) or "nothing"


def _minutes(seconds: float | None) -> str:
    return "-" if seconds is None else plain(f"{int(seconds) // 60} min {int(seconds) % 60} s")
