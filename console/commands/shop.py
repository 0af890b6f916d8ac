"""`comanda menu` and `reconcile`: what an office does, typed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from console.commands.asking import (
    FOUND,
    JsonOption,
    PlacesOption,
    ShopOption,
    answer_json,
    asked,
    out,
    table,
    told,
)
from console.commands.repairing import read_again

menu = typer.Typer(no_args_is_help=True, help="The menu as a sheet (CSV).")
_CSV = "text/csv; charset=utf-8"


@menu.command("export")
def export_menu(
    file: Annotated[Path | None, typer.Argument(help="Where to; none for the terminal.")] = None,
    *,
    shop: ShopOption = "",
    places: PlacesOption = None,
) -> None:
    """Write the menu as a sheet.

    Example: comanda menu export menu.csv
    """
    with told():
        ask = asked(places, shop)
        content = ask.door.fetch(ask.shop, ask.path("catalog", "/menu.csv"))
    if file is None:
        sys.stdout.write(content.decode())
    else:
        file.write_bytes(content)


@menu.command("import")
def import_menu(
    file: Annotated[Path, typer.Argument(help="A sheet as `menu export` writes it.")],
    *,
    is_real: Annotated[bool, typer.Option("--yes", help="Do it; else it is only checked.")] = False,
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a sheet, and with --yes make it the menu: all rows or none.

    Example: comanda menu import menu.csv --yes
    """
    with told():
        ask = asked(places, shop)
        found = ask.door.send(
            ask.shop,
            ask.path("catalog", "/menu.csv"),
            body=file.read_bytes(),
            media_type=_CSV,
            query={"is_dry_run": str(not is_real).lower()},
        )
    if as_json:
        answer_json(found)
    else:
        verb = "made the menu" if is_real else "checked; --yes makes it the menu"
        sums = ", ".join(f"{found[name]} {name}" for name in ("added", "changed", "unchanged"))
        out.print(f"{sums}: {verb}")
        faults = [(it.get("row"), it.get("field"), it.get("message")) for it in found["faults"]]
        if faults:
            table("Faults", ("row", "field", "what"), faults)
    if found["faults"]:
        raise typer.Exit(FOUND)


def reconcile(
    *,
    hours: Annotated[int, typer.Option(min=1, max=2160, help="How far back.")] = 24,
    repair: Annotated[
        bool, typer.Option("--repair", help="Have every charge of an open case read again.")
    ] = False,
    order: Annotated[str, typer.Option(help="Have this order's charges read again, too.")] = "",
    why: Annotated[str, typer.Option(help="Why; it goes to the audit.")] = "reconciliation",
    shop: ShopOption = "",
    places: PlacesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what matched, what was repaired and what is open; 1 when something is open.

    What is read again is applied within seconds by the one function that applies facts.

    Examples: comanda reconcile --hours 48 | comanda reconcile --repair | --order 37
    """
    with told():
        ask = asked(places, shop)
        read = read_again(ask, named=order, of_cases=repair, why=why) if repair or order else []
        report = ask.read("payments", "/reconciliation", hours=hours)
        cases = ask.read("payments", "/cases", limit=200)["cases"]
    if as_json:
        answer_json({**report, "cases": cases, "read_again": read})
    else:
        names = ("matched", "repaired", "open", "waiting", "refunding")
        table(f"Reconciliation of {hours} hours", names, [[report[name] for name in names]])
        rows = [
            (it["id"], it["kind"], it["subject"], it["opened_at"], it["detail"]) for it in cases
        ]
        if repair or order:
            table("Read again", ("charge", "was", "outcome"), read)
        table("Open cases", ("case", "kind", "subject", "since", "detail"), rows)
    if report["open"]:
        raise typer.Exit(FOUND)
