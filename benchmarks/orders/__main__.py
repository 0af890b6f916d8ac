"""`POST order` and the panel beside a bare route: `python -m benchmarks.orders`.

Our API as a pod runs it and the least that such an API can be (`benchmarks.orders.bare`), both on
one table of one stand-in, take turns. CPU is that of the serving process alone; the table's is the
same stand-in's for both. An answer that is not 2xx ends the run.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp

from benchmarks.edge.aws_stub import aws_stub
from benchmarks.findings import Finding, tell
from benchmarks.orders.badges import Badges
from benchmarks.orders.driving import Cost, Request, drive
from benchmarks.orders.filling import ON_BOARD, PASTEL, SHOP, fill
from benchmarks.orders.stage import TABLE, Served, orders_table, serving
from benchmarks.workers.bedside import running_bed
from benchmarks.workers.environments import STATE
from workers.orders.line_items import menu_item
from workers.runtime.aws import dynamodb_client
from workers.runtime.dynamodb import to_item

# A guest may have ten unpaid orders.
_OF_ONE_GUEST = 5
_BODY = {"lines": [{"product_id": "pastel", "quantity": 2}]}
_TOPIC = "arn:aws:sns:sa-east-1:000000000000:comanda-bench-orders-events"


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the two servers, and the requests that it understands."""

    name: str
    served: Served
    board: Request

    def post(self, number: int, *, badges: list[str]) -> Request:
        """Make the request that places order `number`."""
        if self.name == "bare":
            return Request(method="POST", path=f"/{SHOP}/orders", body=_BODY)
        headers = {
            "Authorization": f"Bearer {badges[number // _OF_ONE_GUEST]}",
            "Idempotency-Key": f"bench-{number}",
        }
        path = f"/apis/orders/{SHOP}/orders"
        return Request(method="POST", path=path, body=_BODY, headers=headers)


@contextmanager
def both_sides(badges: Badges, *, environment: dict[str, str], logs: Path) -> Iterator[list[Side]]:
    """Serve both on the same table until the end of the block."""
    with ExitStack() as stack:
        topic = stack.enter_context(running_bed(logs))
        ours = {
            **environment,
            **badges.environment(stack.enter_context(aws_stub(badges.jwks))),
            "AWS_ENDPOINT_URL_SNS": topic.url,
            "COMANDA_STAGE": "bench",
            "COMANDA_SHOPS": SHOP,
            "COMANDA_TOPIC_ARN": _TOPIC,
        }
        api = serving(
            (sys.executable, "-m", "workers.orders.api"),
            environment=ours,
            path="/health/ready",
            log=logs / "orders-api.log",
        )
        bare = serving(
            (sys.executable, "-m", "benchmarks.orders.bare"),
            environment=environment,
            path=f"/{SHOP}/board",
            log=logs / "orders-bare.log",
        )
        cook = {"Authorization": f"Bearer {badges.cook()}"}
        board = Request(method="GET", path=f"/apis/orders/{SHOP}/board", headers=cook)
        yield [
            Side(name="comanda", served=stack.enter_context(api), board=board),
            Side(
                name="bare",
                served=stack.enter_context(bare),
                board=Request(method="GET", path=f"/{SHOP}/board"),
            ),
        ]


async def measure(
    sides: list[Side], badges: list[str], *, requests: int, rounds: int, side_by_side: int
) -> dict[str, dict[str, Cost]]:
    """Drive both routes of both sides in turns; give each one's median round."""
    taken: dict[str, dict[str, list[Cost]]] = {"POST order": {}, "the panel": {}}
    async with aiohttp.ClientSession() as session:
        for turn in range(rounds + 1):
            # What is warmed up in the first round is counted in none.
            count = requests if turn else 20
            for side in sides:
                first = requests * turn
                posts = [side.post(first + n, badges=badges) for n in range(count)]
                for what, wanted in (("POST order", posts), ("the panel", [side.board] * count)):
                    cost = await drive(session, side.served, wanted, side_by_side=side_by_side)
                    if turn:
                        taken[what].setdefault(side.name, []).append(cost)
    return {
        what: {name: _middle(costs) for name, costs in by_name.items()}
        for what, by_name in taken.items()
    }


def _middle(costs: list[Cost]) -> Cost:
    return Cost(
        p50=statistics.median(c.p50 for c in costs),
        p99=statistics.median(c.p99 for c in costs),
        cpu=statistics.median(c.cpu for c in costs),
    )


async def _prepare(environment: dict[str, str]) -> None:
    with patch.dict("os.environ", environment):
        async with dynamodb_client() as client:
            await client.put_item(TableName=TABLE, Item=to_item(menu_item(PASTEL)))
            await fill(client, table=TABLE, count=ON_BOARD)


def findings(found: dict[str, dict[str, Cost]]) -> list[Finding]:
    """Put both sides beside each other."""
    figures: tuple[tuple[str, Any], ...] = (
        ("latency p50", lambda c: c.p50),
        ("latency p99", lambda c: c.p99),
        ("CPU of the process", lambda c: c.cpu),
    )
    return [
        Finding(
            what=f"{what}: {name}",
            this=("comanda", figure(costs["comanda"])),
            other=("bare FastAPI route", figure(costs["bare"])),
            unit="ms",
        )
        for what, costs in found.items()
        for name, figure in figures
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orders", description=__doc__)
    parser.add_argument("--requests", type=int, default=300, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side-by-side", type=int, default=4)
    chosen = parser.parse_args()
    badges = Badges()
    guests = chosen.requests * (chosen.rounds + 1) // _OF_ONE_GUEST + 1
    with (
        tempfile.TemporaryDirectory(prefix="comanda-orders-") as name,
        orders_table(Path(name) / "store") as environment,
    ):
        asyncio.run(_prepare(environment))
        with both_sides(badges, environment=environment, logs=STATE / "logs") as sides:
            found = asyncio.run(
                measure(
                    sides,
                    [badges.guest(number) for number in range(guests)],
                    requests=chosen.requests,
                    rounds=chosen.rounds,
                    side_by_side=chosen.side_by_side,
                )
            )
    lines = findings(found)
    print(f"{'ms':<32}{'comanda':>9}{'bare':>9}{'ratio':>8}")
    for line in lines:
        print(f"{line.what:<32}{line.this[1]:>9.2f}{line.other[1]:>9.2f}{line.ratio:>8.2f}")
    return 0 if tell(lines) else 1


if __name__ == "__main__":
    sys.exit(main())
