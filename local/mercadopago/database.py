"""One SQLite file with everything the simulator knows: SIGKILL loses nothing that was answered."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.mercadopago.sales import OPEN

OPEN_STATES = ", ".join(f"'{state}'" for state in sorted(OPEN))
# A killed process loses nothing that it handed to the kernel; only a power cut would need fsync.
_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-16000;"
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS sales (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, number TEXT NOT NULL UNIQUE,
  shop TEXT NOT NULL, api TEXT NOT NULL, kind TEXT NOT NULL, reference TEXT NOT NULL,
  state TEXT NOT NULL, phase TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
  paid REAL, expires REAL NOT NULL, body TEXT NOT NULL, previous TEXT);
CREATE INDEX IF NOT EXISTS sales_by_reference ON sales (reference);
CREATE INDEX IF NOT EXISTS sales_by_day ON sales (shop, api, created);
CREATE INDEX IF NOT EXISTS sales_open ON sales (expires) WHERE state IN ({OPEN_STATES});
CREATE TABLE IF NOT EXISTS disputes (id TEXT PRIMARY KEY, sale TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, sale TEXT NOT NULL, shop TEXT NOT NULL,
  topic TEXT NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL, is_held INTEGER NOT NULL,
  is_once INTEGER NOT NULL, url TEXT NOT NULL, headers TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due);
CREATE INDEX IF NOT EXISTS deliveries_held ON deliveries (sale) WHERE is_held;
CREATE TABLE IF NOT EXISTS agenda (
  seq INTEGER PRIMARY KEY, due REAL NOT NULL, task TEXT NOT NULL, sale TEXT NOT NULL,
  argument TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS agenda_due ON agenda (due);
CREATE TABLE IF NOT EXISTS keys (
  shop TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, status INTEGER NOT NULL,
  answer TEXT NOT NULL, PRIMARY KEY (shop, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_TABLES = ("sales", "disputes", "deliveries", "agenda", "keys", "settings")


class Database:
    """The file, and the transactions on it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "mercadopago.sqlite", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(_PRAGMAS + _SCHEMA)
        self._is_in_transaction = False
        self._after_commit: list[Callable[[], None]] = []

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def execute(
        self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> sqlite3.Cursor:
        """Run one statement."""
        return self._db.execute(statement, values)

    def insert(self, table: str, facts: Mapping[str, Any]) -> int:
        """Add a row; give its number."""
        names, marks = ", ".join(facts), ", ".join(f":{name}" for name in facts)
        done = self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", facts)  # noqa: S608  # Our own names.
        return done.lastrowid or 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Save all or nothing; one within another is part of it."""
        if self._is_in_transaction:
            yield
            return
        self._db.execute("BEGIN")
        self._is_in_transaction = True
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            self._after_commit.clear()
            raise
        finally:
            self._is_in_transaction = False
        waiting, self._after_commit = self._after_commit, []
        for act in waiting:
            act()

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call when the running transaction is saved."""
        self._after_commit.append(act)

    def reset(self) -> None:
        """Forget everything."""
        with self.transaction():
            for table in _TABLES:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608  # Our own names.
