"""Print a day: what people hold in their hands beside what the shop's books say."""

from rich.console import Console
from rich.table import Table

from local.demo.day.receipts import Fate
from local.demo.day.running import Day

_MOST_TOLD = 20


def print_day(console: Console, day: Day) -> None:
    """Print the figures side by side, then every difference, then the verdict."""
    console.print(_figures(day))
    told = [f"invariant {it.invariant}: {it.subject} {it.detail}" for it in day.verdict.offenders]
    told += [*day.faults, *day.verdict.dead]
    for line in told[:_MOST_TOLD]:
        console.print(f"[red]{line}[/]", soft_wrap=True)
    if len(told) > _MOST_TOLD:
        console.print(f"[red]and {len(told) - _MOST_TOLD} more[/]")
    good = "[green]Books, stock and kitchen agree with everybody's receipt.[/]"
    console.print(good if day.is_good else "[red]They differ.[/]")


def _figures(day: Day) -> Table:
    table = Table(title="The day")
    for name in ("what", "by the people", "by the books"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in _rows(day):
        table.add_row(*row)
    return table


def _rows(day: Day) -> list[tuple[str, str, str]]:
    drawer, evening = day.drawer, day.evening
    taken = f"R$ {drawer.taken()}"
    orders = evening.books.orders.values()
    late = drawer.of(Fate.PAID_LATE)
    completed = sum(order.status == "COMPLETED" for order in orders)
    failed = sum(order.status == "PAYMENT_FAILED" for order in orders)
    returned = sum((receipt.total for receipt in late[1:]), late[0].total) if late else "0.00"
    return [
        ("orders", str(len(drawer.receipts)), str(len(orders))),
        ("eaten / handed over", str(len(drawer.of(Fate.EATEN))), str(completed)),
        ("walked away or paid late / failed", str(_unpaid(day)), str(failed)),
        ("turned away / cancelled", str(len(drawer.of(Fate.TURNED_AWAY))), str(_cancelled(day))),
        ("money: orders", taken, f"R$ {evening.kept_by_orders}"),
        ("money: payments", taken, f"R$ {evening.kept_by_payments}"),
        ("money: Mercado Pago", taken, f"R$ {evening.kept_by_provider}"),
        ("money that came too late and went back", f"R$ {returned}", _returned(day)),
        ("units eaten / sold", str(drawer.eaten().total()), str(evening.sold)),
        ("units still held", "0", str(sum(it.held for it in evening.stocks.values()))),
        ("open cases", "0", str(day.verdict.open_cases)),
        ("dead letters", "0", str(len(day.verdict.dead))),
        ("broken invariants", "0", str(len(day.verdict.offenders))),
        ("seconds", f"{day.seconds:.0f}", ""),
    ]


def _unpaid(day: Day) -> int:
    return len(day.drawer.of(Fate.WALKED_AWAY)) + len(day.drawer.of(Fate.PAID_LATE))


def _cancelled(day: Day) -> int:
    return sum(order.status == "CANCELLED" for order in day.evening.books.orders.values())


def _returned(day: Day) -> str:
    return f"R$ {day.evening.provider_returned}"
