"""The commands: start the system, drive orders through its doors, say what happened."""

from datetime import UTC, datetime

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from comanda.garbage import collect_seldom
from local.demo.books import balance
from local.demo.client import Shopper, WalkFailed
from local.demo.day.report import print_day
from local.demo.day.running import Visits, run_day
from local.demo.doors import Doors, doors_of
from local.demo.load import drive
from local.demo.outage import walk_through_outages
from local.demo.people import Mailbox
from local.demo.report import print_report
from local.demo.walk import Narrator, walk_all
from local.iam.report import print_verdict
from local.supervisor import Options, System, SystemFailed, running_system

console = Console(highlight=False)


async def run(*, options: Options) -> int:
    """Start everything, drive two narrated orders, stay up until Ctrl-C."""
    try:
        async with running_system(options) as system:
            doors = doors_of(system)
            async with _session() as session:
                mailbox = Mailbox(session, aws_url=system.urls["ministack"])
                shopper, shop = Shopper(session, doors), doors.shops[0]
                await walk_all(shopper, shop=shop, mailbox=mailbox, console=console)
            print_verdict(console, system)
            _print_addresses(system, doors)
            await system.wait_until_failed()
    except (SystemFailed, WalkFailed) as exc:
        console.print(f"[red]{exc}[/]", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("All stopped.")
    return 0


async def demo(*, orders: int, options: Options) -> int:
    """Drive many orders, balance the books, stop; the status is 1 unless they balance."""
    try:
        async with running_system(options) as system:
            status = await _demo(system, orders=orders)
            return status if print_verdict(console, system) else 1
    except (SystemFailed, WalkFailed) as exc:
        console.print(f"[red]{exc}[/]", soft_wrap=True)
        return 1


async def demo_outage(*, options: Options) -> int:
    """Take the payments worker and then the broker away; the status is 1 if anything is lost."""
    try:
        async with running_system(options) as system, _session() as session:
            await walk_through_outages(system, session=session, console=console)
            return 0 if print_verdict(console, system) else 1
    except (SystemFailed, WalkFailed) as exc:
        console.print(f"[red]{exc}[/]", soft_wrap=True)
        return 1


async def demo_day(*, orders: int, seed: int, options: Options) -> int:
    """Run a shop's whole day; the status is 1 unless books, stock and kitchen agree with all."""
    narrator = Narrator(console)
    try:
        async with running_system(options) as system, _session() as session:
            collect_seldom()
            day = await run_day(
                system, session=session, visits=Visits(orders=orders, seed=seed), tell=narrator.tell
            )
            is_allowed = print_verdict(console, system)
    except (SystemFailed, WalkFailed) as exc:
        console.print(f"[red]{exc}[/]", soft_wrap=True)
        return 1
    print_day(console, day)
    return 0 if day.is_good and is_allowed else 1


async def _demo(system: System, *, orders: int) -> int:
    collect_seldom()
    doors = doors_of(system)
    columns = (
        TextColumn("orders"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    async with _session() as session:
        shopper = Shopper(session, doors)
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("orders", total=orders)
            result = await drive(
                shopper,
                shops=doors.shops,
                orders=orders,
                advance=lambda: progress.advance(bar),
            )
        books = await balance(shopper, shops=doors.shops, environment=system.environment)
    print_report(console, result, books)
    return 0 if books.is_balanced and not result.failures else 1


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=30, connect=5),
        connector=aiohttp.TCPConnector(limit=0),
    )


def _print_addresses(system: System, doors: Doors) -> None:
    table = Table(title=f"Up since {datetime.now(UTC):%H:%M:%S} UTC; Ctrl-C stops everything")
    table.add_column("what")
    table.add_column("where", overflow="fold")
    table.add_row("public door", doors.edge)
    for shop in doors.shops:
        table.add_row(f"screens of {shop}", f"{doors.edge}/loja/{shop}/pedir, /equipe")
    table.add_row("bank (pay a Pix code here)", f"{doors.bank}/bank")
    for name, url in sorted(system.urls.items()):
        table.add_row(name, url)
    for shop, login in doors.kitchens.items():
        table.add_row(f"kitchen of {shop}", f"{login.username} / {login.password}")
    console.print(table)
