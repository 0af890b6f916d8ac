"""The `comanda` command: what an operator types. Exit codes stand in docs/command.md."""

import time
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from console.audit.invariants import NAMES, Offender, offenders
from console.audit.reading import read_books
from console.commands import dlq, opening, orders, replay, shop
from console.commands.acts import log
from console.commands.asking import answer_json, become, give_up, told
from console.commands.closing import closing
from console.commands.completion import completion
from console.commands.disown import disown
from console.commands.doctor import doctor
from console.commands.staff import staff
from console.commands.stock import stock
from console.commands.trace import trace
from console.commands.webhooks import webhooks
from console.door import Door, DoorClosed
from console.places import Places, PlacesUnknown, find_places, places_file

app = typer.Typer(
    name="comanda",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Comanda for operators.

    Examples: comanda doctor | comanda order show 37 | comanda journey 37 |
    comanda dlq list orders | comanda reconcile | comanda audit --settle 10
    """,
)
app.add_typer(orders.order, name="order")
app.command()(orders.journey)
app.command()(trace)
app.add_typer(webhooks, name="webhooks")
app.add_typer(dlq.app, name="dlq")
app.add_typer(replay.app, name="replay")
app.command()(shop.reconcile)
app.command()(closing)
app.add_typer(shop.menu, name="menu")
app.add_typer(staff, name="staff")
app.add_typer(opening.shop, name="shop")
app.add_typer(stock, name="stock")
auditing = typer.Typer()
auditing.command("log")(log)
app.add_typer(auditing, name="audit")
app.command()(doctor)
app.command()(completion)
app.command()(disown)
console = Console(highlight=False)
# What is on its way when the first look is taken arrives meanwhile.
_LOOK_AGAIN_SECONDS = 2.0


@app.command()
def run() -> None:
    """Say how a laptop is started."""
    console.print("make run     starts all of Comanda on this machine and drives two orders")


@app.command()
def demo() -> None:
    """Say how many orders are driven through a laptop at once."""
    console.print("make demo ORDERS=200     drives paid orders and balances the books")


@app.command()
def robot(
    rate: Annotated[float, typer.Option(min=0.1, max=20, help="Customers a second.")] = 2.0,
    seconds: Annotated[float | None, typer.Option(help="How long; else until Ctrl-C.")] = None,
    places: Annotated[Path | None, typer.Option(help="Where the laptop runs (JSON).")] = None,
) -> None:
    """Bring a laptop to life: customers who order, hesitate, walk away; cooks who cook.

    Example: comanda robot --rate 2
    """
    if find_spec("local") is None:
        give_up("the robot lives on laptops, and this is not one")
    words = ["-m", "local.robot", "--rate", str(rate)]
    words += ["--seconds", str(seconds)] if seconds is not None else []
    with told():
        words += ["--places", str(places_file(places))]
    become(words)


@auditing.callback(invoke_without_command=True)
def audit(
    context: typer.Context,
    places: Annotated[Path | None, typer.Option(help="Where Comanda runs (JSON).")] = None,
    settle: Annotated[float, typer.Option(help="Seconds to let facts arrive.")] = 30.0,
    days: Annotated[int, typer.Option(help="How far back the provider is searched.")] = 7,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Check the five money invariants over all stores and the provider; name every offender.

    `comanda audit log` tells who did what.
    """
    if context.invoked_subcommand is not None:
        return
    try:
        found = _settled(find_places(places), settle=settle, days=days)
    except (PlacesUnknown, DoorClosed) as exc:
        console.print(f"[red]the audit could not be made:[/] {exc}", soft_wrap=True)
        raise typer.Exit(2) from exc
    if as_json:
        answer_json([asdict(offender) for offender in found])
    else:
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
