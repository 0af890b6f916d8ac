"""Print what a load did and whether the books balance."""

from rich.console import Console
from rich.table import Table

from local.demo.books import Books
from local.demo.load import LoadResult


def print_report(console: Console, result: LoadResult, books: Books) -> None:
    """Print one table; nothing in it is estimated."""
    table = Table(title="What happened", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    codes = [sale.code_seconds for sale in result.sales]
    kitchens = [s.kitchen_seconds for s in result.sales if s.kitchen_seconds is not None]
    rows = [
        ("orders placed", str(books.orders_placed)),
        ("orders paid", str(books.orders_paid)),
        ("cancelled uncharged: sold out", str(result.sold_out)),
        ("failures", str(len(result.failures))),
        ("seconds", f"{result.seconds:.1f}"),
        ("paid orders per second", f"{len(result.sales) / max(result.paid_seconds, 0.001):.0f}"),
        ("order to Pix code, p50 / p99", _quantiles(codes)),
        ("payment to kitchen, p50 / p99", _quantiles(kitchens)),
        ("Mercado Pago took", f"R$ {books.provider}"),
        ("payments accounted for", f"R$ {books.payments}"),
        ("paid orders were worth", f"R$ {books.orders}"),
        ("units sold / still held", f"{books.stock_sold} / {books.stock_held}"),
        ("open cases", str(books.open_cases)),
        ("dead letters", str(books.dead_letters)),
    ]
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)
    for failure in result.failures[:10]:
        console.print(f"[red]failed[/] {failure}", soft_wrap=True)
    verdict = "[green]The books balance.[/]" if books.is_balanced else "[red]The books differ.[/]"
    console.print(verdict)


def quantile(values: list[float], share: float) -> float:
    """Give the smallest value that at least this share (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -int(-len(ordered) * share // 1) - 1))]


def _quantiles(values: list[float]) -> str:
    if not values:
        return "-"
    return f"{quantile(values, 0.5) * 1000:.0f} / {quantile(values, 0.99) * 1000:.0f} ms"
