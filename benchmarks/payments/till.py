"""A desk of payments on a real database with a provider in memory, for whoever measures it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from benchmarks.workers.processes import cost_of
from comanda.envelope import Envelope, seal
from comanda.events import NotificationReceived, RawRequest
from comanda.ids import ChargeId, ShopId, new_id
from comanda.mercadopago.values import Flavour
from comanda.messaging.memory import InMemoryPublisher
from comanda.money import Money
from workers.payments.memory_provider import InMemoryProvider
from workers.payments.migrate import migrate
from workers.payments.model import ProviderFact, ProviderStatus
from workers.payments.ports import Desk
from workers.payments.repository import PostgresPayments
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool

SHOPS = 4
AMOUNT = "58.80"
_REQUEST = RawRequest(method="POST", path="/webhooks", headers=(), query=(), body="{}")
_CHARGES = """
INSERT INTO charges (charge_id, shop_id, order_id, status, amount, receiver, provider_id, pix_code,
    expires_at, provider_updated_at, paid_at, next_check_at, created_at, changed_at)
SELECT %(name)s || n, 'shop-' || (n %% 4), %(name)s || n, %(status)s, 58.80, 'seller-1',
       'ORD' || upper(%(name)s) || n, repeat('0', 120), now() + interval '30 minutes', now(),
       CASE WHEN %(status)s = 'PAID' THEN now() END, %(due)s, now(), now()
FROM generate_series(1, %(count)s::int) AS n
"""
_LINES = """
INSERT INTO ledger (shop_id, charge_id, kind, amount, source, at)
SELECT shop_id, charge_id, 'charged', amount, 'filling', now() FROM charges WHERE status = 'PAID'
"""


class Books(InMemoryProvider):
    """Say of every charge that it is in the given status; answer at once."""

    says = ProviderStatus.PAID

    async def fetch(
        self,
        shop_id: ShopId,  # noqa: ARG002  # Every shop's charges are told alike.
        resource_id: str,
        *,
        flavour: Flavour = Flavour.ORDERS,
    ) -> ProviderFact | None:
        """Make up the order of a filled charge."""
        now = self._clock()
        amount = Money.parse(AMOUNT)
        self.calls.fetches += 1
        return ProviderFact(
            provider_id=resource_id,
            reference=resource_id.removeprefix("ORD").lower(),
            receiver="seller-1",
            currency="BRL",
            method="pix",
            status=self.says,
            amount=amount,
            paid=amount if self.says is ProviderStatus.PAID else None,
            updated_at=now,
            asked_at=now,
            flavour=flavour,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Till:
    """A desk, its provider and its database."""

    desk: Desk
    books: Books
    dsn: str

    def server_cpu(self) -> float:
        """Give the CPU seconds that all of PostgreSQL's processes have used."""
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        assert row is not None  # Every server has one.
        postmaster = int(Path(row[0], "postmaster.pid").read_text().split()[0])
        while True:
            # A process that ends while the tree is walked counts with its parent the next time.
            with suppress(FileNotFoundError, ProcessLookupError):
                return cost_of(postmaster).cpu_seconds


@asynccontextmanager
async def open_till(dsn: str) -> AsyncIterator[Till]:
    """Open a desk on a database that is migrated."""
    async with postgres_pool(dsn) as pool:
        units = PostgresUnits(pool, publisher=InMemoryPublisher(), clock=_now)
        books = Books(clock=_now)
        desk = Desk(
            payments=PostgresPayments(units, pool=pool, clock=_now),
            provider=books,
            clock=_now,
            new_charge_id=lambda now: ChargeId(new_id(now)),
        )
        yield Till(desk=desk, books=books, dsn=dsn)
        await units.drain()


def new_database(dsn: str, *, name: str) -> str:
    """Make a migrated database beside the one that is named, and give its address."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    made = urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))
    migrate(made)
    return made


def fill(dsn: str, *, name: str, count: int, status: str, due: datetime | None = None) -> None:
    """Write so many charges of one status, with their ledger if they are paid."""
    values: dict[str, Any] = {"name": name, "count": count, "status": status, "due": due}
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_CHARGES, values)
        if status == "PAID":
            connection.execute(_LINES)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def told(name: str, n: int) -> Envelope:
    """Make the notification of a filled charge."""
    now = _now()
    event = NotificationReceived(
        shop_id=ShopId(f"shop-{n % SHOPS}"),
        topic="order",
        resource_id=f"ORD{name.upper()}{n}",
        received_at=now + timedelta(seconds=1),
        request=_REQUEST,
    )
    return seal(replace(event), now=now)


def _now() -> datetime:
    return datetime.now(UTC)
