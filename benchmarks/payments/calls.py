"""One provider call, beside the official SDK: `python -m benchmarks.payments.calls`.

Both ask the same simulator, a process of its own, over plain HTTP on loopback: read an order and
create one, in turns. Ours also keeps a budget, reads exact decimals and writes a log line. Leaves
with 1 when ours costs more CPU than the SDK's.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import mercadopago
from mercadopago.config import RequestOptions
from mercadopago.http import HttpClient

from benchmarks.findings import Finding, tell
from benchmarks.payments.rivals import Cost, in_turns
from benchmarks.payments.simulator import TOKEN, running_simulator
from comanda.mercadopago.client import Rates, open_apis
from comanda.mercadopago.payloads import pix_request
from comanda.mercadopago.values import Flavour
from comanda.money import Money

PRICE = Money.parse("58.80").to_decimal()


class Rewriting(HttpClient):
    """Send to the simulator what is meant for the provider; the SDK has no setting for it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Rewrite the address."""
        here = url.replace("https://api.mercadopago.com", self._url)
        return super().request(method, here, *args, **kwargs)


def measure(url: str, *, calls: int, rounds: int) -> dict[str, dict[str, Cost]]:
    """Measure both verbs of both clients."""
    ours = open_apis(url, TOKEN, rates=Rates(calls=1e6, searches=1e6))[Flavour.ORDERS]
    theirs = mercadopago.SDK(TOKEN, http_client=Rewriting(url)).order()
    made = ours.create(_body(), key=str(uuid4()))

    def their_create() -> None:
        options = RequestOptions(custom_headers={"x-idempotency-key": str(uuid4())})
        answer = theirs.create(json.loads(_body()), options)
        assert answer["status"] == 201, answer

    def their_get() -> None:
        assert theirs.get(made.id)["status"] == 200

    return {
        "get": in_turns(
            {"comanda": lambda: ours.get(made.id), "sdk": their_get}, calls=calls, rounds=rounds
        ),
        "create": in_turns(
            {"comanda": lambda: ours.create(_body(), key=str(uuid4())), "sdk": their_create},
            calls=calls,
            rounds=rounds,
        ),
    }


def main() -> int:
    """Measure, print, and return 1 when ours costs more than theirs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.payments.calls")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_simulator(Path(folder)) as url:
        found = measure(url, calls=chosen.calls, rounds=chosen.rounds)
    print(
        f"{'microseconds a call':<22}{'ours':>9}{'sdk':>9}{'ratio':>8}{'our CPU':>9}{'sdk CPU':>9}"
    )
    for verb, costs in found.items():
        ours, sdk = costs["comanda"], costs["sdk"]
        print(
            f"{verb:<22}{ours.wall:>9.0f}{sdk.wall:>9.0f}{sdk.wall / ours.wall:>8.2f}"
            f"{ours.cpu:>9.0f}{sdk.cpu:>9.0f}"
        )
    return 0 if tell(findings(found)) else 1


def findings(found: dict[str, dict[str, Cost]]) -> list[Finding]:
    """Put our calls beside the SDK's."""
    return [
        Finding(
            what=f"a provider call, {verb}: {name}",
            this=("comanda", ours),
            other=("official SDK", sdk),
            unit="us",
            at_most=bound,
        )
        for verb, costs in found.items()
        for name, ours, sdk, bound in (
            ("latency", costs["comanda"].wall, costs["sdk"].wall, None),
            ("CPU", costs["comanda"].cpu, costs["sdk"].cpu, 1.0),
        )
    ]


def _body() -> bytes:
    return pix_request(reference=str(uuid4()), amount=PRICE, payer_email="ana@example.com")


if __name__ == "__main__":
    sys.exit(main())
