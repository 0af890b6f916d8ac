"""A menu as a spreadsheet: rows become products or named faults, products become rows.

Row 1 is the header, as a spreadsheet counts. Columns that are missing or cells that are empty leave
what a product says; options, combos and pictures are not in the sheet and stay as they are.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from comanda.ids import ProductId, ShopId, new_id
from comanda.menu import LABELS, Category
from comanda.money import ZERO, InvalidMoney, Money
from workers.catalog.model import LARGEST_QUANTITY
from workers.catalog.products import (
    MOST_PRODUCTS,
    InvalidProduct,
    Product,
    check,
    check_parts,
    folded,
    tidy,
)

MOST_ROWS = 1000
COLUMNS: Mapping[str, str] = {
    "id": "id",
    "name": "nome",
    "category": "categoria",
    "price": "preco",
    "description": "descricao",
    "is_available": "disponivel",
    "is_stocked": "controla estoque",
    "position": "posicao",
    "initial_stock": "estoque inicial",
}
_NEEDED = ("name", "category", "price")
_TRUTHS = {"true": True, "yes": True, "sim": True, "1": True}
_TRUTHS |= {"false": False, "no": False, "nao": False, "0": False}
# A spreadsheet would run a cell that begins so.
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What is wrong with one cell; an empty field is the whole row."""

    row: int
    field: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What a good row asks for: this product, and so much in the store-room if it is new."""

    row: int
    product: Product
    found: Product | None
    initial_stock: int = 0

    @property
    def is_unchanged(self) -> bool:
        """Tell whether the row says what the menu says already."""
        return self.found is not None and not self.product.differs_from(self.found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a sheet asks for; it may be carried out only without faults."""

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]


class _BadCell(ValueError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def written(products: Sequence[Product]) -> str:
    """Write a menu as a spreadsheet in Brazil reads it: semicolons, decimal commas, UTF-8 mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for product in products:
        cells = (
            product.id,
            product.name,
            product.category.value,
            str(product.price).replace(".", ","),
            product.description,
            "true" if product.is_available else "false",
            "true" if product.is_stocked else "false",
            str(product.position),
            "",
        )
        writer.writerow([f"'{cell}" if _would_run(cell) else cell for cell in cells])
    return "\ufeff" + out.getvalue()


def planned(text: str, *, shop_id: ShopId, products: Sequence[Product], now: datetime) -> Plan:
    """Read a sheet against the products that a shop has, retired ones included."""
    try:
        records = list(_records(text))
    except csv.Error as exc:
        return Plan(entries=(), faults=(Fault(row=1, field="", message=f"not CSV: {exc}"),))
    header = _headed(records)
    if isinstance(header, Fault):
        return Plan(entries=(), faults=(header,))
    entries: list[Entry] = []
    faults: list[Fault] = []
    reader = _RowReader(shop_id=shop_id, products=products, now=now)
    for number, cells in enumerate(records[1:], start=2):
        if any(cells):
            entry = reader.entry(number, dict(zip(header, cells, strict=False)), width=len(cells))
            entries += [entry] if isinstance(entry, Entry) else []
            faults += entry if isinstance(entry, list) else []
    clashes = _clashes(entries, products=products)
    return Plan(entries=tuple(entries), faults=(*faults, *clashes))


class _RowReader:
    """Turns cells into entries, or into all that is wrong with them."""

    def __init__(self, *, shop_id: ShopId, products: Sequence[Product], now: datetime) -> None:
        self._shop_id = shop_id
        self._now = now
        self._by_id = {product.id: product for product in products}
        self._by_name = {p.name_key: p for p in products if not p.is_removed}

    def entry(self, row: int, cells: Mapping[str, str], *, width: int) -> Entry | list[Fault]:
        """Read one row."""
        if width > len(cells):
            return [Fault(row=row, field="", message="more cells than the header has columns")]
        said, faults = _read_cells(row, cells)
        try:
            found = self._found(cells.get("id", ""), name=said.get("name", ""))
            stock = said.pop("initial_stock", 0)
            product = self._product(found, said)
            if stock and (found is not None or not product.is_stocked):
                raise _BadCell("initial_stock", "only a new product that is counted begins so")
            check(product)
        except (_BadCell, InvalidProduct) as exc:
            message = exc.fault if isinstance(exc, InvalidProduct) else str(exc)
            # A cell that could not be read was named above; what it lacks is no second fault.
            if exc.field not in {fault.field for fault in faults}:
                faults.append(Fault(row=row, field=exc.field, message=message))
        if faults:
            return faults
        return Entry(row=row, product=product, found=found, initial_stock=stock)

    def _found(self, product_id: str, *, name: str) -> Product | None:
        if not product_id:
            return self._by_name.get(folded(name))
        found = self._by_id.get(ProductId(product_id))
        if found is None or found.is_removed:
            raise _BadCell("id", "the menu has no such product")
        return found

    def _product(self, found: Product | None, said: Mapping[str, Any]) -> Product:
        if found is not None:
            return replace(found, **said)
        for field in _NEEDED:
            if field not in said:
                raise _BadCell(field, "a new product needs it")
        blank = Product(
            id=ProductId(new_id(self._now)),
            shop_id=self._shop_id,
            version=0,
            name="",
            category=Category.MEAL,
            price=ZERO,
            is_available=True,
        )
        return replace(blank, **said)


def _read_cells(row: int, cells: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    said: dict[str, Any] = {}
    faults: list[Fault] = []
    for field, read in _READ.items():
        try:
            if cells.get(field):
                said[field] = read(cells[field])
        except ValueError as exc:
            faults.append(Fault(row=row, field=field, message=str(exc)))
    return said, faults


def _records(text: str) -> Iterator[list[str]]:
    first = text.removeprefix("\ufeff").partition("\n")[0]
    delimiter = ";" if first.count(";") >= first.count(",") else ","
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter)
    for cells in rows:
        yield [_plain(cell) for cell in cells]


def _plain(cell: str) -> str:
    text = tidy(cell)
    return text[1:] if text.startswith("'") and _would_run(text) else text


def _would_run(cell: str) -> bool:
    # A quote that was put before a formula by hand gets another one, or the way back would eat it.
    return cell.lstrip("'").startswith(_FORMULA)


def _headed(records: Sequence[Sequence[str]]) -> list[str] | Fault:
    names = {folded(word).replace("_", " "): field for field, word in COLUMNS.items()}
    names |= {field.replace("_", " "): field for field in COLUMNS}
    header = [folded(cell).replace("_", " ") for cell in records[0]] if records else []
    unknown = [cell for cell in header if cell not in names]
    if unknown:
        return Fault(row=1, field="", message=f"unknown column: {unknown[0][:40]!r}")
    fields = [names[cell] for cell in header]
    missing = [field for field in _NEEDED if field not in fields]
    if missing or len(set(fields)) < len(fields):
        return Fault(row=1, field="", message="name, category and price are needed, each once")
    if len(records) > MOST_ROWS + 1:
        return Fault(row=1, field="", message=f"at most {MOST_ROWS} rows")
    return fields


def _clashes(entries: Sequence[Entry], *, products: Sequence[Product]) -> list[Fault]:
    after = {product.id: product for product in products}
    rows: dict[ProductId, int] = {}
    faults: list[Fault] = []
    for entry in entries:
        if entry.product.id in rows:
            message = f"row {rows[entry.product.id]} is about the same product"
            faults.append(Fault(row=entry.row, field="name", message=message))
        rows[entry.product.id] = entry.row
        after[entry.product.id] = entry.product
    for entry in (e for e in entries if not e.is_unchanged):
        try:
            check_parts(entry.product, others=after)
        except InvalidProduct as exc:
            faults.append(Fault(row=entry.row, field=exc.field, message=exc.fault))
    owners: dict[str, ProductId] = {}
    for product in (p for p in after.values() if not p.is_removed):
        owner = owners.setdefault(product.name_key, product.id)
        if owner != product.id:
            row = rows.get(product.id, rows.get(owner, 1))
            faults.append(Fault(row=row, field="name", message="another product has this name"))
    if len(after) > MOST_PRODUCTS:
        faults.append(Fault(row=1, field="", message=f"a menu holds {MOST_PRODUCTS} products"))
    return faults


def _category(text: str) -> Category:
    known = {folded(label): category for category, label in LABELS.items()}
    known |= {folded(category.value): category for category in Category}
    if folded(text) not in known:
        raise ValueError(f"one of {', '.join(Category)} is needed")
    return known[folded(text)]


def _price(text: str) -> Money:
    try:
        return Money.parse(text.removeprefix("R$").strip().replace(",", "."))
    except InvalidMoney as exc:
        raise ValueError("an amount such as 24,90 is needed") from exc


def _truth(text: str) -> bool:
    if folded(text) not in _TRUTHS:
        raise ValueError("true or false is needed")
    return _TRUTHS[folded(text)]


def _count(text: str) -> int:
    # `isdecimal` alone would take digits of other scripts.
    if not (text.isascii() and text.isdecimal() and int(text[:12]) <= LARGEST_QUANTITY):
        raise ValueError(f"a whole number up to {LARGEST_QUANTITY} is needed")
    return int(text[:12])


_READ: Mapping[str, Callable[[str], Any]] = {
    "name": str,
    "category": _category,
    "price": _price,
    "description": str,
    "is_available": _truth,
    "is_stocked": _truth,
    "position": _count,
    "initial_stock": _count,
}
