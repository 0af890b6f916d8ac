"""The sales that the provider holds, the answers it gave under a key, and its settings."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comanda.money import Money
from local.mercadopago.database import Database
from local.mercadopago.records import read_sale, write_sale
from local.mercadopago.sales import Sale


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredAnswer:
    """What was answered under an idempotency key, and to which bytes."""

    digest: str
    status: int
    answer: str


class Store:
    """Keep sales, answers and settings."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def insert(self, sale: Sale) -> None:
        """Add a sale."""
        self._db.insert("sales", _columns(sale))

    def update(self, sale: Sale) -> None:
        """Save a changed sale; what it was before is kept for stale reads."""
        columns = _columns(sale)
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        self._db.execute(
            f"UPDATE sales SET previous = body, {changes} WHERE id = :id",  # noqa: S608 - Made of our own constants alone.
            columns,
        )
        for dispute in sale.disputes:
            self._db.execute("INSERT OR IGNORE INTO disputes VALUES (?, ?)", (dispute.id, sale.id))

    def find(self, name: str, *, is_stale: bool = False) -> Sale | None:
        """Give the sale with this id or number; stale is what it was before its last change."""
        row = self._db.execute(
            "SELECT body, previous FROM sales WHERE id = ?1 OR number = ?1", (name,)
        ).fetchone()
        return None if row is None else _sale(row, is_stale=is_stale)

    def find_by_dispute(self, dispute_id: str) -> Sale | None:
        """Give the sale that is disputed."""
        row = self._db.execute("SELECT sale FROM disputes WHERE id = ?", (dispute_id,)).fetchone()
        return None if row is None else self.find(row["sale"])

    def find_by_reference(self, reference: str) -> Sequence[Sale]:
        """Give all sales under our reference, the oldest first."""
        rows = self._db.execute(
            "SELECT body FROM sales WHERE reference = ? ORDER BY seq", (reference,)
        )
        return [read_sale(row["body"]) for row in rows]

    def select(
        self, where: str, values: Sequence[object], *, order: str, limit: int, offset: int = 0
    ) -> Sequence[tuple[Sale, Sale]]:
        """Give a page of sales as they are and as they were before; `where` is our own text."""
        rows = self._db.execute(
            f"SELECT body, previous FROM sales WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608 - Made of our own constants alone.
            (*values, limit, offset),
        )
        return [(_sale(row, is_stale=False), _sale(row, is_stale=True)) for row in rows]

    def count(self, where: str, values: Sequence[object]) -> int:
        """Count sales."""
        found = self._db.execute(f"SELECT count(*) FROM sales WHERE {where}", values)  # noqa: S608 - Made of our own constants alone.
        return int(found.fetchone()[0])

    def position(self, sale_id: str) -> int:
        """Give where a sale stands in the order of creation; 0 is before the first."""
        row = self._db.execute("SELECT seq FROM sales WHERE id = ?", (sale_id,)).fetchone()
        return 0 if row is None else int(row["seq"])

    def shops(self) -> set[str]:
        """Name all shops that have sales."""
        return {row["shop"] for row in self._db.execute("SELECT DISTINCT shop FROM sales")}

    def sums_of(self, shop: str) -> tuple[int, int, Money]:
        """Count the sales of a shop and the paid ones, and sum up what arrived."""
        row = self._db.execute(
            "SELECT count(*), count(paid), sum(json_extract(body, '$.paid'))"
            " FROM sales WHERE shop = ?",
            (shop,),
        ).fetchone()
        return row[0], row[1], Money(row[2] or 0)

    def refunded_sales_of(self, shop: str) -> Iterator[Sale]:
        """Give the sales of a shop that have refunds."""
        rows = self._db.execute(
            "SELECT body FROM sales WHERE shop = ? AND paid IS NOT NULL"
            " AND json_array_length(body, '$.refunds') > 0",
            (shop,),
        )
        return (read_sale(row["body"]) for row in rows)

    def answer_of(self, shop: str, key: str) -> StoredAnswer | None:
        """Give what was answered under an idempotency key."""
        row = self._db.execute(
            "SELECT digest, status, answer FROM keys WHERE shop = ? AND key = ?", (shop, key)
        ).fetchone()
        return None if row is None else StoredAnswer(**dict(row))

    def keep_answer(self, shop: str, key: str, answer: StoredAnswer) -> None:
        """Save an answer under an idempotency key."""
        self._db.execute(
            "INSERT INTO keys VALUES (?, ?, ?, ?, ?)",
            (shop, key, answer.digest, answer.status, answer.answer),
        )

    def setting(self, name: str) -> Any:
        """Give a saved setting, `None` if it was never saved."""
        row = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row["value"])

    def save_setting(self, name: str, value: object) -> None:
        """Save a setting."""
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))


def _columns(sale: Sale) -> dict[str, object]:
    return {
        "id": sale.id,
        "number": sale.number,
        "shop": sale.shop,
        "api": sale.api.value,
        "kind": sale.kind,
        "reference": sale.reference,
        "state": sale.state.value,
        "phase": sale.phase,
        "created": sale.created_at.timestamp(),
        "updated": sale.updated_at.timestamp(),
        "paid": _seconds(sale.paid_at),
        "expires": sale.expires_at.timestamp(),
        "body": write_sale(sale),
    }


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _sale(row: sqlite3.Row, *, is_stale: bool) -> Sale:
    return read_sale((row["previous"] if is_stale else None) or row["body"])
