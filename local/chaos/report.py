"""Tell of a run: a table for a terminal, and `docs/proof.md`."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.chaos.running import Outcome

_MOST_TOLD = 20


def print_outcome(outcome: Outcome, console: Console) -> None:
    """Print what was done and everything that is wrong."""
    table = Table(title=f"Chaos, seed {outcome.trial.seed}")
    table.add_column("what")
    table.add_column("count", justify="right")
    for name, count in _figures(outcome):
        table.add_row(name, str(count))
    console.print(table)
    for line in _faults_found(outcome)[:_MOST_TOLD]:
        console.print(f"[red]{line}[/]", soft_wrap=True)
    verdict = "Nothing was violated." if outcome.is_sound else "[red]The promise was broken.[/]"
    console.print(verdict)


def write_proof(outcome: Outcome, path: Path) -> None:
    """Write the page that the command makes."""
    trial = outcome.trial
    lines = [
        "# The proof",
        "",
        "Written by `make chaos`. A whole laptop sells, cooks and pays back while a schedule of",
        "faults runs; then all faults end, dead letters are sent back, and the five money",
        "invariants, the journal of what clients saw and the dead-letter queues are read.",
        "",
        f"Seed {trial.seed}, {trial.seconds:.0f} s, {trial.pace:g} faults a second,"
        f" {trial.people} customers side by side.",
        "",
        "| what | count |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in _figures(outcome)),
        "",
        "| fault injected | times |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in sorted(outcome.faults.items())),
        "",
        *(f"- {line}" for line in _faults_found(outcome)[:_MOST_TOLD]),
    ]
    path.write_text("\n".join(lines).rstrip() + "\n")


def _figures(outcome: Outcome) -> list[tuple[str, int]]:
    verdict = outcome.verdict
    return [
        ("faults injected", sum(outcome.faults.values())),
        ("faults that found their target down already", outcome.missed),
        ("orders that a client was told of", outcome.orders),
        ("orders in the books", len(verdict.statuses)),
        *((f"of them {name}", count) for name, count in sorted(outcome.by_status.items())),
        ("customers who gave up", len(outcome.given_up)),
        ("dead letters sent back", verdict.redriven),
        ("open cases, each with its name", verdict.open_cases),
        ("violations of a money invariant", len(verdict.offenders)),
        ("violations in what clients saw", len(outcome.broken)),
        ("dead letters left", len(verdict.dead)),
    ]


def _faults_found(outcome: Outcome) -> list[str]:
    told = [
        f"{it.invariant} {it.shop} {it.subject}: {it.detail}" for it in outcome.verdict.offenders
    ]
    return [*told, *outcome.broken, *outcome.verdict.dead]
