"""A closed day as a sheet: as Brazilian spreadsheets open it, with `;` and comma decimals."""

import csv
import io
from collections.abc import Iterable, Mapping

from comanda.money import Money
from console.closing.closing import Closing

# Spreadsheets take what begins so for a formula, and names of products are typed by people.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BYTE_ORDER_MARK = "\ufeff"
Row = tuple[object, ...]


def sheet(closing: Closing, *, statuses: Mapping[str, str], charges: Mapping[str, str]) -> bytes:
    """Write a closed day: UTF-8 with a byte order mark, which is how Excel knows it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    for row in _rows(closing, statuses=statuses, charges=charges):
        writer.writerow([_cell(value) for value in row])
    return (_BYTE_ORDER_MARK + text.getvalue()).encode()


def reais(amount: Money) -> str:
    """Write an amount as a number of a Brazilian sheet: `1234,56`."""
    return str(amount).replace(".", ",")


def _rows(
    closing: Closing, *, statuses: Mapping[str, str], charges: Mapping[str, str]
) -> Iterable[Row]:
    yield ("Seção", "Item", "Quantidade", "Valor (R$)")
    yield ("Dia", f"{closing.day.day:%d/%m/%Y}", "", "")
    if not closing.is_whole:
        yield ("Atenção", "O dia tem mais pedidos do que cabem aqui", "", "")
    yield from _sums(closing)
    for each in closing.orders:
        yield ("Pedidos", statuses.get(each.name, each.name), each.count, each.amount)
    for each in closing.payments:
        yield ("Cobranças", charges.get(each.name, each.name), each.count, each.amount)
    for each in closing.hours:
        yield ("Vendas por hora", f"{each.name[11:13]}h", each.count, each.amount)
    for product in closing.products:
        yield ("Produtos", product.name, product.quantity, product.amount)
    for other in closing.differences:
        name = other.call_number or other.order_id
        yield ("Diferenças", f"{name} pelos pedidos", "", other.by_orders)
        yield ("Diferenças", f"{name} pelo livro", "", other.by_ledger)


def _sums(closing: Closing) -> Iterable[Row]:
    yield ("Resumo", "Vendas pagas", "", closing.sold)
    yield ("Resumo", "Recebido", "", closing.charged)
    yield ("Resumo", "Devolvido", "", closing.refunded)
    yield ("Resumo", "Em disputa", "", closing.disputed)
    yield ("Resumo", "Tarifas conhecidas", "", closing.fees)
    yield ("Resumo", "Pagamentos sem tarifa informada", closing.fees_unknown, "")
    yield ("Resumo", "Líquido", "", closing.net)
    yield ("Resumo", "Fica, pelos pedidos", "", closing.kept_by_orders)
    yield ("Resumo", "Fica, pelo livro", "", closing.kept_by_ledger)
    yield ("Resumo", "Casos abertos", closing.open_cases, "")


def _cell(value: object) -> str:
    if isinstance(value, Money):
        return reais(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
