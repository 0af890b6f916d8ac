"""Render the transition tables of all aggregates as one document."""

from collections.abc import Iterable, Mapping

from workers.catalog.model import TRANSITIONS as RESERVATION
from workers.orders.model import TRANSITIONS as ORDER
from workers.payments.model import TRANSITIONS as CHARGE


def render() -> str:
    """Give the Markdown text of `docs/transitions.md`."""
    tables: tuple[tuple[str, Mapping[str, Iterable[str]]], ...] = (
        ("Order", ORDER),
        ("Charge", CHARGE),
        ("Reservation", RESERVATION),
    )
    parts = [
        "# Transitions\n",
        "Generated from the tables in the models by `python -m local.docs`; do not edit."
        " Whatever is not listed is refused by name and recorded.\n",
    ]
    for name, table in tables:
        parts.append(f"## {name}\n\n| from | to |\n|---|---|")
        parts.extend(f"| {source} | {_targets(targets)} |" for source, targets in table.items())
        parts.append("")
    return "\n".join(parts)


def _targets(targets: Iterable[str]) -> str:
    return ", ".join(sorted(str(target) for target in targets)) or "(final)"
