"""How fast the whole laptop answers notifications: `python -m benchmarks.edge.receiver`.

Authentic notifications go through the public door, the gateway adapter and the Chalice app, and
each is durable on the bus before its answer. The exit status is 1 when the 99th percentile is over
its budget or an answer was not 200.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from comanda.mercadopago.signature import sign
from local.supervisor import Options, System, running_system

BUDGET_MS = 50.0
WARM_UP = 200


def secret_of(system: System, shop: str) -> str:
    """Read the newest webhook secret of a shop."""
    known: dict[str, str] = json.loads((system.folder / "secrets.json").read_text())
    account = next(text for name, text in known.items() if name.endswith(f"/{shop}/mercadopago"))
    return str(json.loads(account)["webhook_secrets"][0])


async def drive(
    url: str, *, secret: str, requests: int, side_by_side: int
) -> tuple[list[float], int]:
    """Send that many; give the milliseconds of each and how many were not answered with 200."""
    took: list[float] = []
    refused = 0
    numbers = iter(range(requests))

    async def sender(session: aiohttp.ClientSession) -> None:
        nonlocal refused
        for number in numbers:
            data_id, request_id = str(800_000_000 + number), f"bench-{number}"
            header = sign(
                secret=secret, data_id=data_id, request_id=request_id, ts=str(int(time.time()))
            )
            headers = {"x-signature": header, "x-request-id": request_id}
            query = {"data.id": data_id, "type": "payment"}
            began = time.perf_counter()
            async with session.post(url, params=query, headers=headers, json={}) as answer:
                await answer.read()
                refused += answer.status != 200
            took.append((time.perf_counter() - began) * 1000)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(sender(session) for _ in range(side_by_side)))
    return took, refused


def percentile(values: list[float], part: float) -> float:
    """Give the value below which that part of all lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


async def measure(*, requests: int, side_by_side: int) -> int:
    """Start the laptop in a folder of its own, send, print; give the exit status."""
    with tempfile.TemporaryDirectory() as root:
        async with running_system(Options(root=Path(root))) as system:
            shop = "lanchonete-da-ana"
            url = f"{system.urls['edge']}/webhooks/mercadopago/{shop}"
            secret = secret_of(system, shop)
            await drive(url, secret=secret, requests=WARM_UP, side_by_side=side_by_side)
            took, refused = await drive(
                url, secret=secret, requests=requests, side_by_side=side_by_side
            )
    p99 = percentile(took, 0.99)
    print(
        f"{requests} notifications, {side_by_side} side by side:"
        f" p50 {percentile(took, 0.5):.1f} ms, p99 {p99:.1f} ms, most {max(took):.1f} ms;"
        f" {refused} not answered with 200"
    )
    return 1 if refused or p99 > BUDGET_MS else 0


def main(arguments: list[str]) -> int:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge.receiver", description=__doc__)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--side-by-side", type=int, default=4)
    chosen = parser.parse_args(arguments)
    return asyncio.run(measure(requests=chosen.requests, side_by_side=chosen.side_by_side))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
