"""The whole road: `python -m benchmarks.road`.

Starts the laptop, drives orders from the door to the counter by one customer, then by many at once,
and balances the books. CPU is read in /proc by process, the laptop's stand-ins apart. Then paid
orders are started by clicks on one board while many boards look on. Leaves with 1 when the books
differ, an order failed or a card moved too late.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aiohttp

from benchmarks.findings import Finding, tell
from benchmarks.road.push import Waits, push
from benchmarks.workers.processes import cost_of
from benchmarks.workers.report import machine
from local.demo.books import balance
from local.demo.client import Shopper
from local.demo.doors import Doors, doors_of
from local.demo.load import CUSTOMERS, LoadResult, drive
from local.supervisor import Options, System, running_system
from local.system import STAND_INS

# The gateway and its adapter are AWS's on AWS.
NOT_OURS = (*STAND_INS, "edge")
# A board is read at most so often, so a card may wait for the next reading.
MOST_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Road:
    """What a load came to; CPU is milliseconds of an order, by process."""

    one: float
    many: float
    cpu: Mapping[str, float]

    @property
    def ours(self) -> dict[str, float]:
        """Give what runs on AWS, too."""
        return {name: ms for name, ms in self.cpu.items() if name not in NOT_OURS}


def findings(road: Road, waits: Waits) -> list[Finding]:
    """Say all of it in ratios of this run."""
    whole = sum(road.ours.values())
    played = sum(road.cpu.values()) - whole
    shares = [
        Finding(
            what="CPU of an order",
            this=(name, ms),
            other=("all processes of ours", whole),
            unit="ms",
        )
        for name, ms in sorted(road.ours.items(), key=lambda it: -it[1])
        if ms
    ]
    click, moved = statistics.median(waits.answered), _p99(waits.moved)
    return [
        Finding(
            what="the road, finished orders",
            this=(f"{CUSTOMERS} customers at once", road.many),
            other=("1 customer", road.one),
            unit="a second",
            at_least=1.0,
        ),
        Finding(
            what="CPU of an order",
            this=("all processes of ours", whole),
            other=("all stand-ins", played),
            unit="ms",
        ),
        *shares,
        Finding(
            what="the screens' push, p99",
            this=("click to card moved", moved * 1000),
            other=("click to its own answer, p50", click * 1000),
            unit="ms",
        ),
        Finding(
            what="the screens' push, p99",
            this=("click to card moved", moved * 1000),
            other=("half a second", MOST_SECONDS * 1000),
            unit="ms",
            at_most=1.0,
        ),
    ]


async def measure(system: System, *, orders: int, clicks: int, boards: int) -> tuple[Road, Waits]:
    """Drive, balance, click; raise `RuntimeError` when the books differ or an order failed."""
    doors = doors_of(system)
    timeout = aiohttp.ClientTimeout(total=30, connect=5)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        shopper = Shopper(session, doors)
        alone = [await _driven(shopper, doors, orders=1) for _ in range(5)]
        before = _used(system)
        crowd = await _driven(shopper, doors, orders=orders)
        books = await balance(shopper, shops=doors.shops, environment=system.environment)
        after = _used(system)
        if not books.is_balanced:
            raise RuntimeError(f"the books differ: {books}")
        waiting = await _paid(shopper, doors, count=clicks)
    waits = await push(doors, shop=doors.shops[0], orders=waiting, boards=boards)
    road = Road(
        one=1 / statistics.median(it.seconds for it in alone[1:]),
        many=orders / crowd.seconds,
        cpu={name: (after[name] - used) / orders * 1000 for name, used in before.items()},
    )
    return road, waits


async def _driven(shopper: Shopper, doors: Doors, *, orders: int) -> LoadResult:
    result = await drive(shopper, shops=doors.shops, orders=orders, advance=lambda: None)
    if result.failures:
        raise RuntimeError(f"orders failed: {result.failures[:3]}")
    return result


def _used(system: System) -> dict[str, float]:
    return {
        name: cost_of(view.pid).cpu_seconds
        for name, view in system.processes.items()
        if view.pid is not None
    }


async def _paid(shopper: Shopper, doors: Doors, *, count: int) -> list[str]:
    """Leave so many paid orders to the kitchen; give their ids."""
    shop = doors.shops[0]
    product = (await shopper.menu(shop))[0]
    made = []
    for _ in range(count):
        token = await shopper.guest_token(shop)
        lines = [{"product_id": product["id"], "quantity": 1}]
        order = await shopper.order(shop, lines, token=token, key=str(uuid4()))
        await shopper.pay(order["pix"]["code"])
        made.append(str((await shopper.order_until(order, token=token, has="paid_at"))["id"]))
    return made


def keep(road: Road, file: Path, *, orders: int) -> None:
    """Write down what the model of scale is fed with (`benchmarks/scale/measured.json`)."""
    facts = {
        "at": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine(),
        "orders": orders,
        "cpu_ms": {name: round(ms, 3) for name, ms in sorted(road.cpu.items())},
    }
    file.write_text(json.dumps(facts, indent=1) + "\n")


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


async def _main(*, orders: int, clicks: int, boards: int) -> tuple[Road, Waits]:
    with tempfile.TemporaryDirectory(prefix="comanda-road-") as root:
        async with running_system(Options(root=Path(root))) as system:
            return await measure(system, orders=orders, clicks=clicks, boards=boards)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.road", description=__doc__)
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--clicks", type=int, default=40)
    parser.add_argument("--boards", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="write the CPU by process here, as JSON")
    chosen = parser.parse_args()
    road, waits = asyncio.run(
        _main(orders=chosen.orders, clicks=chosen.clicks, boards=chosen.boards)
    )
    if chosen.keep:
        keep(road, chosen.keep, orders=chosen.orders)
    lines = findings(road, waits)
    for line in lines:
        print(
            f"{line.what:<28}{line.this[0]:<26}{line.this[1]:>9.2f}  {line.other[0]:<30}"
            f"{line.other[1]:>9.2f} {line.unit:<10}{line.ratio:>7.3f}"
            f"{'' if line.is_kept else '  BROKEN'}"
        )
    return 0 if tell(lines) else 1


if __name__ == "__main__":
    sys.exit(main())
