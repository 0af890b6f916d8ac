"""The panel and a customer's history with few and with many orders in the table.

`python -m benchmarks.orders.growth` fills one table with 1 thousand orders and one with many,
directly, then reads the same from each, through our repository. Calls, the items that they look at
and the read units that AWS would bill for their bytes may not grow by over a tenth; else it leaves
with 1.

Reads are counted, not timed: the stand-in looks for every page in all that it has, so its times
say nothing of AWS, and what of ours could grow is a function of the answers. It holds 23 KB for an
order and takes a thousand a second, so a million (`--many 1000000`) would need 23 GB and a quarter
of an hour; what a count shows at 100 thousand is what it shows at a million.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.findings import Finding, tell
from benchmarks.orders.filling import A_DAY, PASTEL, REGULAR, SHOP, fill, made_orders
from benchmarks.orders.stage import make_table
from benchmarks.workers.bedside import KEYS
from benchmarks.workers.processes import cost_of
from benchmarks.workers.stores import dynamodb
from comanda.clock import utc_now
from comanda.messaging.memory import InMemoryPublisher
from workers.orders.claims import ClaimKey
from workers.orders.desk import DynamoDesk
from workers.orders.floor import Floor
from workers.orders.hook_items import DynamoHooks
from workers.orders.line_items import menu_item
from workers.orders.lines import Wanted
from workers.orders.model import OrderStatus
from workers.orders.placing import OrderRequest
from workers.orders.ports import Page
from workers.orders.repository import DynamoOrderRepository
from workers.orders.table import DynamoTable
from workers.runtime.aws import dynamodb_client
from workers.runtime.dynamodb import DynamoUnits, to_item

ALLOWED = 1.10
# An eventually consistent read unit is half of these bytes.
UNIT = 4096
_REQUEST = OrderRequest(
    key=ClaimKey(shop_id=SHOP, owner=REGULAR, key="the-next"),
    fingerprint="one pastel",
    customer_id=None,
    lines=(Wanted(product_id=PASTEL.product_id, quantity=1),),
)
Read = Callable[[], Awaitable[object]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one read costs: calls, items looked at, and read units for their bytes."""

    calls: int
    items: int
    units: float


class Metered:
    """A client that adds up what its queries look at, in items and in bytes."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.used: Counter[str] = Counter()

    async def query(self, **arguments: Any) -> Any:
        """Query, and count."""
        self.used["calls"] += 1
        answer = await self._client.query(**arguments)
        self.used["items"] += answer["ScannedCount"]
        self.used["bytes"] += sum(_size(item) for item in answer["Items"])
        return answer

    @property
    def cost(self) -> Cost:
        """Give what was used since `used` was cleared."""
        units = self.used["bytes"] / UNIT / 2
        return Cost(calls=self.used["calls"], items=self.used["items"], units=units)

    def __getattr__(self, name: str) -> Any:
        self.used["calls"] += 1
        return getattr(self._client, name)


async def measure(address: str, sizes: list[int]) -> dict[str, dict[int, Cost]]:
    """Fill a table of each size, then read the same from each."""
    taken: dict[str, dict[int, Cost]] = {}
    async with dynamodb_client() as client:
        for size in sizes:
            name, began = f"orders-{size}", time.perf_counter()
            make_table(address, name)
            await client.put_item(TableName=name, Item=to_item(menu_item(PASTEL)))
            await fill(client, table=name, count=size)
            print(f"{size:,} orders filled in {time.perf_counter() - began:.0f} s", flush=True)
            metered = Metered(client)
            for what, read in _reads(metered, table=name, size=size).items():
                metered.used.clear()
                await read()
                taken.setdefault(what, {})[size] = metered.cost
    return taken


def _reads(metered: Metered, *, table: str, size: int) -> dict[str, Read]:
    units = DynamoUnits(metered, table=table, publisher=InMemoryPublisher(), clock=utc_now)
    rows = DynamoTable(metered, name=table)
    store = DynamoOrderRepository(rows, units=units)
    floor = Floor(store, desk=DynamoDesk(rows), hooks=DynamoHooks(rows), clock=utc_now)

    async def place() -> None:
        await floor.till.place(_REQUEST)
        await units.drain()

    day = next(made_orders(1)).day
    middle = Page(limit=20, after=f"{min(size, A_DAY) // 2:06d}#")
    return {
        "the panel": lambda: store.board(SHOP),
        "a customer's history": lambda: store.of_owner(SHOP, REGULAR, page=Page(limit=20)),
        "a page of a day": lambda: store.of_day(SHOP, day, page=middle),
        "a page of a status": lambda: store.of_day(
            SHOP, day, page=middle, status=OrderStatus.COMPLETED
        ),
        "one call number": lambda: store.called(SHOP, day, number=7),
        "the regular's next order": place,
    }


def _size(value: Any) -> int:
    """Give the bytes of an item as the DynamoDB guide counts them: names and values, in UTF-8."""
    if isinstance(value, dict):
        return sum(len(name.encode()) + _size(it) for name, it in value.items())
    if isinstance(value, list):
        return sum(_size(it) for it in value)
    return len(value.encode()) if isinstance(value, str) else 1


def findings(found: dict[str, dict[int, Cost]], *, few: int, many: int) -> list[Finding]:
    """Compare what many orders cost with what few cost."""
    figures: tuple[tuple[str, str, Callable[[Cost], float]], ...] = (
        ("made", "calls", lambda cost: cost.calls),
        ("looked at", "items", lambda cost: cost.items),
        ("to be billed", "read units", lambda cost: cost.units),
    )
    return [
        Finding(
            what=f"{what}: {name}",
            this=(f"{many:,} orders", figure(costs[many])),
            other=(f"{few:,} orders", figure(costs[few])),
            unit=unit,
            at_most=ALLOWED,
        )
        for what, costs in found.items()
        for name, unit, figure in figures
    ]


def main() -> int:
    """Measure, print, and return 1 when the table's size shows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orders.growth", description=__doc__)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=100_000)
    chosen = parser.parse_args()
    sizes = [chosen.few, chosen.many]
    with (
        tempfile.TemporaryDirectory(prefix="comanda-growth-") as name,
        dynamodb(Path(name) / "store") as (address, pid),
    ):
        with patch.dict("os.environ", {**KEYS, "AWS_ENDPOINT_URL_DYNAMODB": address}):
            found = asyncio.run(measure(address, sizes))
        print(f"the stand-in held {cost_of(pid).peak_mb:,.0f} MB")
    lines = findings(found, few=chosen.few, many=chosen.many)
    for line in lines:
        print(
            f"{line.what:<36}{line.other[1]:>10.2f}{line.this[1]:>10.2f} {line.unit:<11}"
            f"{line.ratio:>6.3f}{'' if line.is_kept else '  BROKEN'}"
        )
    return 0 if tell(lines) else 1


if __name__ == "__main__":
    sys.exit(main())
