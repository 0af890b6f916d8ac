"""Reconcile 100 thousand open charges: memory and provider calls stay bounded.

`python -m benchmarks.payments.open_charges` makes that many waiting charges due at once and runs
turns of the reconciliation as the worker does, without the pause of a second between them, against
a provider that takes 20 ms. The peer in the same run is the obvious loop: read all due charges,
ask about each, save each. Leaves with 1 when a charge was asked about twice, when more calls were
under way than a batch has, or when memory grew by over 64 MB.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.payments.till import Books, Till, fill, new_database, open_till
from benchmarks.workers.processes import resident_mb
from comanda.ids import ShopId
from comanda.mercadopago.values import Flavour
from local.postgres import running_postgres
from workers.payments.facts import apply_fact
from workers.payments.model import ProviderFact, ProviderStatus
from workers.payments.reconciliation import BATCH, reconcile
from workers.runtime.errors import StoreUnavailable

_MOST_MB = 64.0
_ANSWER_SECONDS = 0.02


class SlowBooks(Books):
    """Say after a while that the code still waits; count who is asked about, and when."""

    says = ProviderStatus.WAITING
    asked: Counter[str]
    under_way = most_under_way = 0

    async def fetch(
        self, shop_id: ShopId, resource_id: str, *, flavour: Flavour = Flavour.ORDERS
    ) -> ProviderFact | None:
        """Take a while."""
        self.asked[resource_id] += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(_ANSWER_SECONDS)
        self.under_way -= 1
        return await super().fetch(shop_id, resource_id, flavour=flavour)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What it took."""

    seconds: float
    grown_mb: float
    most_under_way: int
    asked: int
    asked_again: int
    failed: int


async def in_batches(till: Till, *, books: SlowBooks, charges: int) -> None:
    """Take turns until all were asked about; who was asked comes again after those who were not."""
    while len(books.asked) < charges:
        await reconcile(till.desk)


async def all_at_once(till: Till) -> int:
    """Read all that is due, and ask about all of it; give how many found no connection in time."""
    payments, provider = till.desk.payments, till.desk.provider
    due = await payments.claim_due(limit=10_000_000)

    async def check(shop_id: ShopId, provider_id: str) -> None:
        fact = await provider.fetch(shop_id, provider_id)
        known = await payments.find(shop_id, provider_id)
        assert fact is not None
        assert known is not None
        async with payments.begin() as unit:
            await unit.save(apply_fact(known, fact=fact, now=unit.now), source="peer")

    checks = (check(charge.shop_id, charge.provider_id or "") for charge in due)
    ended = await asyncio.gather(*checks, return_exceptions=True)
    return sum(isinstance(each, StoreUnavailable) for each in ended)


async def measure(dsn: str, *, name: str, charges: int) -> Run:
    """Fill a database of its own and run one of the two."""
    address = new_database(dsn, name=name)
    past = datetime.now(UTC) - timedelta(minutes=1)
    fill(address, name="open", count=charges, status="WAITING", due=past)
    async with open_till(address) as till:
        books = SlowBooks(clock=till.desk.clock)
        books.asked = Counter()
        object.__setattr__(till.desk, "provider", books)
        slow = Till(desk=till.desk, books=books, dsn=address)
        peak, began = asyncio.create_task(_peak()), time.perf_counter()
        before = resident_mb(os.getpid())
        failed = 0
        if name == "comanda":
            await in_batches(slow, books=books, charges=charges)
        else:
            failed = await all_at_once(slow)
        seconds = time.perf_counter() - began
        peak.cancel()
        grown = max(await peak, resident_mb(os.getpid())) - before
    return Run(
        seconds=seconds,
        grown_mb=grown,
        most_under_way=books.most_under_way,
        asked=len(books.asked),
        failed=failed,
        asked_again=sum(count > 1 for count in books.asked.values()),
    )


async def _peak() -> float:
    highest = 0.0
    try:
        while True:
            highest = max(highest, resident_mb(os.getpid()))
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        return highest


def main() -> int:
    """Run ours, then the peer; print both; return 1 when a bound of ours is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.payments.open_charges")
    parser.add_argument("--charges", type=int, default=100_000)
    parser.add_argument("--peer", type=int, default=2_000, help="charges of the peer")
    chosen = parser.parse_args()
    runs: dict[str, Run] = {}
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder)) as dsn:
        for name, count in (("comanda", chosen.charges), ("peer", chosen.peer)):
            runs[name] = asyncio.run(measure(dsn, name=name, charges=count))
    heads = ("charges", "seconds", "a second", "MB grown", "at once", "twice", "failed")
    print(" " * 10 + "".join(f"{head:>10}" for head in heads))
    for name, run in runs.items():
        print(
            f"{name:<10}{run.asked:>10}{run.seconds:>10.1f}{run.asked / run.seconds:>10.0f}"
            f"{run.grown_mb:>10.1f}{run.most_under_way:>10}{run.asked_again:>10}{run.failed:>10}"
        )
    ours = runs["comanda"]
    print(f"The worker pauses a second after each {BATCH}: at most {BATCH} calls a second and pod.")
    is_bounded = ours.most_under_way <= BATCH and ours.grown_mb <= _MOST_MB
    is_complete = ours.asked == chosen.charges and not ours.asked_again
    return 0 if is_bounded and is_complete else 1


if __name__ == "__main__":
    sys.exit(main())
