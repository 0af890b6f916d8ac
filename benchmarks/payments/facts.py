"""Facts applied per second and core, with few and with many charges in the table.

`python -m benchmarks.payments.facts` fills databases with few and with many paid charges, then lets
notifications pay waiting ones, in turns: read the charge, fetch (in memory),
lock, apply, save, ledger, webhook inbox, inbox, outbox, publish (in memory). Beside it, in the same
rounds, the same rows are written by bare statements in one transaction a fact, which check nothing.
CPU is that of this process and of all PostgreSQL's. Leaves with 1 when a fact costs over a tenth
more with many charges than with few.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.findings import Finding, tell
from benchmarks.payments.till import Till, fill, new_database, open_till, told
from local.postgres import running_postgres
from workers.payments.notifications import apply_notification

_ALLOWED = 1.10
_AT_ONCE = 64
_BARE = (
    "SELECT * FROM charges WHERE charge_id = %(id)s FOR UPDATE",
    "UPDATE charges SET status = 'PAID', paid_at = %(now)s, next_check_at = NULL,"
    " changed_at = %(now)s WHERE charge_id = %(id)s",
    "INSERT INTO ledger (shop_id, charge_id, kind, amount, source, at)"
    " VALUES ('shop-0', %(id)s, 'charged', 58.80, 'bare', %(now)s)",
    "INSERT INTO webhook_inbox (event_id, shop_id, topic, resource_id, request, verdict, charge_id,"
    " received_at, recorded_at)"
    " VALUES (%(id)s, 'shop-0', 'order', %(id)s, '{}', 'applied', %(id)s, %(now)s, %(now)s)",
    "INSERT INTO inbox (event_id, handled_at) VALUES (%(id)s, %(now)s)",
    "INSERT INTO outbox (event_id, created_at, body) VALUES (%(id)s, %(now)s, repeat('x', 600))",
    "DELETE FROM outbox WHERE event_id = %(id)s",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Milliseconds of one fact: by the clock, and of CPU here and at the server."""

    wall: float
    own: float
    server: float

    @property
    def cpu(self) -> float:
        """Add up both sides."""
        return self.own + self.server


async def ours(till: Till, *, name: str, facts: int) -> None:
    """Let so many notifications arrive, many at once."""
    waiting = iter(range(1, facts + 1))

    async def hand() -> None:
        for n in waiting:
            await apply_notification(told(name, n), desk=till.desk)

    await asyncio.gather(*(hand() for _ in range(_AT_ONCE)))


async def bare(till: Till, *, name: str, facts: int) -> None:
    """Write the same rows one fact after the other."""
    async with await psycopg.AsyncConnection.connect(till.dsn) as connection:
        for n in range(1, facts + 1):
            values = {"id": f"{name}{n}", "now": datetime.now(UTC)}
            for statement in _BARE:
                await connection.execute(statement, values)
            await connection.commit()


@asynccontextmanager
async def timed(till: Till, *, facts: int, into: list[Cost]) -> AsyncIterator[None]:
    """Measure what stands inside."""
    server, own, wall = till.server_cpu(), time.process_time(), time.perf_counter()
    yield
    seconds = (time.perf_counter() - wall, time.process_time() - own, till.server_cpu() - server)
    wall_ms, own_ms, server_ms = (each / facts * 1000 for each in seconds)
    into.append(Cost(wall=wall_ms, own=own_ms, server=server_ms))


async def measure(dsn: str, sizes: list[int], *, facts: int, rounds: int) -> dict[str, Cost]:
    """Fill, then measure in turns; give the least disturbed round of each by name."""
    found: dict[str, list[Cost]] = {}
    async with AsyncExitStack() as stack:
        tills: dict[int, Till] = {}
        for size in sizes:
            address = new_database(dsn, name=f"payments_{size}")
            fill(address, name="old", count=size, status="PAID")
            tills[size] = await stack.enter_async_context(open_till(address))
        for turn in range(rounds + 1):
            for size, till in tills.items():
                for side, apply in (("comanda", ours), ("bare", bare)):
                    name = f"{side}{turn}x"
                    fill(till.dsn, name=name, count=facts, status="WAITING")
                    costs = found.setdefault(f"{side} at {size:,}", []) if turn else []
                    async with timed(till, facts=facts, into=costs):
                        await apply(till, name=name, facts=facts)
    return {name: min(costs, key=lambda cost: cost.cpu) for name, costs in found.items()}


def main() -> int:
    """Measure, print, and return 1 when the table's size shows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.payments.facts")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--facts", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    sizes = sorted(chosen.sizes)
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder)) as dsn:
        found = asyncio.run(measure(dsn, sizes, facts=chosen.facts, rounds=chosen.rounds))
    print(f"{'ms a fact':<26}{'wall':>7}{'CPU':>7}{'ours':>7}{'server':>8}{'facts/s/core':>14}")
    for name, cost in found.items():
        print(
            f"{name:<26}{cost.wall:>7.2f}{cost.cpu:>7.2f}{cost.own:>7.2f}{cost.server:>8.2f}"
            f"{1000 / cost.cpu:>14.0f}"
        )
    lines = findings(found, sizes=sizes)
    for line in lines:
        print(f"{line.what}, {line.this[0]} over {line.other[0]}: {line.ratio:.3f}")
    return 0 if tell(lines) else 1


def findings(found: Mapping[str, Cost], *, sizes: list[int]) -> list[Finding]:
    """Compare each size with the smallest, and ours with bare statements."""
    few = found[f"comanda at {sizes[0]:,}"].cpu
    growth = [
        Finding(
            what="a payment's fact: CPU",
            this=(f"{size:,} charges", found[f"comanda at {size:,}"].cpu),
            other=(f"{sizes[0]:,} charges", few),
            unit="ms",
            at_most=_ALLOWED,
        )
        for size in sizes[1:]
    ]
    bare = ("bare statements", found[f"bare at {sizes[0]:,}"].cpu)
    beside = Finding(what="a payment's fact: CPU", this=("comanda", few), other=bare, unit="ms")
    return [*growth, beside]


if __name__ == "__main__":
    sys.exit(main())
