"""The `comanda` command: what an operator types."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from console.audit.invariants import NAMES, Offender, offenders
from console.audit.reading import read_books
from console.door import Door, DoorClosed
from console.places import Places, PlacesUnknown, find_places

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Comanda for operators.")
console = Console(highlight=False)
# What is on its way when the first look is taken arrives meanwhile.
_LOOK_AGAIN_SECONDS = 2.0


@app.callback()
def comanda() -> None:
    """Keep `audit` a command of its own, for more will stand beside it."""


@app.command()
def audit(
    places: Annotated[Path | None, typer.Option(help="Where Comanda runs (JSON).")] = None,
    settle: Annotated[float, typer.Option(help="Seconds to let facts arrive.")] = 30.0,
    days: Annotated[int, typer.Option(help="How far back the provider is searched.")] = 7,
) -> None:
    """Check the five money invariants over all stores and the provider; name every offender."""
    try:
        found = _settled(find_places(places), settle=settle, days=days)
    except (PlacesUnknown, DoorClosed) as exc:
        console.print(f"[red]the audit could not be made:[/] {exc}", soft_wrap=True)
        raise typer.Exit(2) from exc
    _print(found)
    if found:
        raise typer.Exit(1)


def _settled(places: Places, *, settle: float, days: int) -> list[Offender]:
    door = Door(places.edge, logins=places.logins)
    deadline = time.monotonic() + settle
    while True:
        found = [
            offender
            for shop in sorted(places.logins)
            for offender in offenders(read_books(shop, places=places, door=door, days=days))
        ]
        if not found or time.monotonic() >= deadline:
            return found
        time.sleep(_LOOK_AGAIN_SECONDS)


def _print(found: list[Offender]) -> None:
    summary = Table(title="Money invariants")
    summary.add_column("invariant")
    summary.add_column("offenders", justify="right")
    for number, name in NAMES.items():
        count = sum(offender.invariant == number for offender in found)
        summary.add_row(f"{number}. {name}", f"[red]{count}[/]" if count else "0")
    console.print(summary)
    for offender in found:
        console.print(
            f"[red]{offender.invariant}[/] {offender.shop} {offender.subject}: {offender.detail}",
            soft_wrap=True,
        )
