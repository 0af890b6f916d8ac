"""Write docs/scale.md: `python -m benchmarks.scale`, or `make scale`; the same each time.

It is fed with `measured.json`, which `python -m benchmarks.road --keep FILE` writes anew.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.scale.limits import CONNECTIONS, LIMITS
from benchmarks.scale.model import (
    BUSIEST_HOUR,
    BUSIEST_MINUTE,
    FEWEST_PODS,
    HOP,
    MOST_BUSY,
    PROVIDER,
    Measured,
    Waits,
    measured,
    simulated,
)
from benchmarks.scale.needs import (
    BUSIEST_SHOP,
    ORDERS_OF_A_SHOP,
    Needs,
    breaks,
    met,
    needs_of,
)
from benchmarks.scale.order import WRITES, deliveries, publishes, write_units
from benchmarks.workers.processes import ROOT

PAGE = ROOT / "docs" / "scale.md"
DAYS = (10_000, 1_000_000, 100_000_000)
SEED = 20260102
_INTRO = """# Scale

Written by `make scale`; do not edit. A simulation (`benchmarks/scale`, simpy, seed {seed}) fed with
CPU measured by process on the laptop's road ({at}; {machine}; PostgreSQL without fsync): it says
which number breaks first, not what a bill will be. Nothing here was tried on AWS.

Taken for granted: {hour:.0%} of a day's orders come in its busiest hour, whose busiest minute is
{minute:g} times as dense; a shop has {shop} orders a day, the busiest {busiest:,}; {hop:.0f} ms
from a commit to the next worker; {provider:.0f} ms for a call of the provider; processes at most
{busy:.0%} busy; pods of each kind at least {fewest}. One order is {published} messages published,
{delivered} delivered, {units:.0f} write units of DynamoDB. A core of that machine is taken for one
of an m7g.
"""
_ROWS: tuple[tuple[str, Callable[[Needs], str]], ...] = (
    ("orders a second, busiest minute", lambda n: f"{n.sized.rate:,.1f}"),
    ("shops", lambda n: f"{n.shops:,}"),
    ("pods", lambda n: f"{n.sized.pods:,}"),
    ("of them API of orders", lambda n: f"{n.sized.processes['orders']:,}"),
    ("of them payments worker", lambda n: f"{n.sized.processes['payments-worker']:,}"),
    ("nodes (m7g.large)", lambda n: f"{n.nodes:,}"),
    ("SNS messages published, a second", lambda n: f"{n.published:,.0f}"),
    ("SQS messages delivered, a second", lambda n: f"{n.delivered:,.0f}"),
    ("SQS calls a second, received and deleted by tens", lambda n: f"{n.queue_calls:,.0f}"),
    ("DynamoDB write units, a second", lambda n: f"{n.write_units:,.0f}"),
    ("DynamoDB partitions for that", lambda n: f"{n.partitions:,}"),
    ("write units of the busiest shop's day, of 1,000", lambda n: f"{n.busiest_partition:,.1f}"),
    ("PostgreSQL commits, a second, if none were shared", lambda n: f"{n.commits:,.0f}"),
    ("PostgreSQL cores", lambda n: f"{n.database_cores:,.2f}"),
    (f"PostgreSQL connections (db.m7g.large has {CONNECTIONS})", lambda n: f"{n.connections:,}"),
    ("provider calls, a second, all accounts", lambda n: f"{n.provider_calls:,.0f}"),
    ("Lambda executions at once", lambda n: f"{n.lambdas:,.1f}"),
    ("dollars a month", lambda n: f"{n.dollars:,.0f}"),
    ("dearest line of the bill", lambda n: n.dearest),
    ("dollars an order", lambda n: f"{n.dollars_an_order:.4f}"),
    ("dollars an order, without Cognito", lambda n: f"{n.dollars_without_users:.4f}"),
)


def page(costs: Measured, *, seed: int = SEED) -> str:
    """Render the whole page."""
    answers = [needs_of(day, costs=costs) for day in DAYS]
    waits = [simulated(it.sized, costs=costs, seed=seed) for it in answers]
    parts = (
        _intro(costs, seed),
        _answers(answers, waits),
        _first(costs),
        _limits(costs),
        _writes(),
    )
    return "\n".join(parts)


def _intro(costs: Measured, seed: int) -> str:
    return _INTRO.format(
        seed=seed,
        at=costs.at,
        machine=costs.machine,
        hour=BUSIEST_HOUR,
        minute=BUSIEST_MINUTE,
        shop=ORDERS_OF_A_SHOP,
        busiest=BUSIEST_SHOP,
        hop=HOP * 1000,
        provider=PROVIDER * 1000,
        busy=MOST_BUSY,
        fewest=FEWEST_PODS,
        published=publishes(),
        delivered=deliveries(),
        units=write_units(),
    )


def _answers(answers: Sequence[Needs], waits: Sequence[Waits]) -> str:
    head = " | ".join(f"{it.orders:,} a day" for it in answers)
    lines = ["## Answers", "", f"| | {head} |", "|---|" + "--:|" * len(answers)]
    seconds = " | ".join(f"{it.p50:.2f} / {it.p99:.2f}" for it in waits)
    lines.append(f"| seconds from order to Pix code, p50 / p99, simulated | {seconds} |")
    lines += [f"| {name} | {' | '.join(show(it) for it in answers)} |" for name, show in _ROWS]
    lines += [
        "",
        "Three known customers in ten orders are counted as new users of Cognito each time, as"
        " `make cost` does: whoever comes weekly is counted four times too often.",
        "",
        "Nodes, DynamoDB and further database servers are priced as counted here, the rest as"
        " `make cost PROFILE=production` has it (`terraform/prices.json`: no discounts). Pods of"
        " the console and of the archive's API are not counted.",
        "",
    ]
    return "\n".join(lines)


def _first(costs: Measured) -> str:
    lines = ["## What breaks first", ""]
    for day in DAYS:
        limits = met(day, costs=costs)
        names = "; ".join(it.name for it in limits) or "nothing"
        lines.append(f"- **{day:,} orders a day** meet {len(limits)} of {len(LIMITS)}: {names}.")
    return "\n".join([*lines, ""])


def _limits(costs: Measured) -> str:
    lines = [
        "## Limits, in the order in which they are met",
        "",
        "| limit | value | met at orders a day | what is then done | source |",
        "|---|--:|--:|---|---|",
    ]
    for day, it in breaks(costs):
        met_at = f"{_rounded(day):,}" + (" of one shop" if it.of_a_shop else "")
        lines.append(
            f"| {it.name} | {it.value:,g} {it.unit} | {met_at} | {it.then} | {it.source} |"
        )
    return "\n".join([*lines, ""])


def _writes() -> str:
    lines = ["## Write units of an order", "", "| item | times | units |", "|---|--:|--:|"]
    lines += [f"| {it.what} | {it.times:g} | {it.units:g} |" for it in WRITES]
    return "\n".join([*lines, ""])


def _rounded(value: float) -> int:
    """Keep two digits: the third is not known."""
    return int(float(f"{value:.2g}"))


def main() -> int:
    """Write the page, or tell with 1 that it would be another."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if it is outdated")
    parser.add_argument("--page", type=Path, default=PAGE)
    chosen = parser.parse_args()
    text = page(measured())
    if chosen.check:
        is_same = chosen.page.exists() and chosen.page.read_text() == text
        print("up to date" if is_same else f"{chosen.page} is outdated: make scale")
        return 0 if is_same else 1
    chosen.page.write_text(text)
    print(f"written: {chosen.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
