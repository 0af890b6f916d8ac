"""Render the transition tables of all aggregates as one document."""

from collections.abc import Iterable, Mapping
from typing import Any

from workers.catalog.model import TRANSITIONS as RESERVATION
from workers.orders.model import TRANSITIONS as ORDER
from workers.payments.model import TRANSITIONS as CHARGE


def render() -> str:
    """Give the Markdown text of `docs/transitions.md`."""
    parts = [
        "# Transitions\n",
        "Generated from the tables in the models by `python -m local.docs`; do not edit."
        " Whatever is not listed is refused by name and recorded.\n",
        *_section("Order", ORDER),
        *_section("Charge", CHARGE),
        *_section("Reservation", RESERVATION),
    ]
    return "\n".join(parts)


def _section(name: str, table: Mapping[Any, Iterable[Any]]) -> list[str]:
    rows = [f"| {source} | {_targets(targets)} |" for source, targets in table.items()]
    return [f"## {name}\n", "| from | to |", "|---|---|", *rows, ""]


def _targets(targets: Iterable[Any]) -> str:
    return ", ".join(sorted(str(target) for target in targets)) or "(final)"
