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
        "| fault | injected | found nobody |",
        "|---|---|---|",
        *(
            f"| {name} | {outcome.faults[name]} | {outcome.missed[name]} |"
            for name in sorted({*outcome.faults, *outcome.missed})
        ),
        "",
        *_points(outcome),
        *(f"- {line}" for line in _faults_found(outcome)[:_MOST_TOLD]),
    ]
    path.write_text("\n".join(lines).rstrip() + "\n")


def _points(outcome: Outcome) -> list[str]:
    """Tell at how many points of each worker somebody died, and at which of them nobody did."""
    named = outcome.points if outcome.trial.at_every_point else ()
    return [
        "A point is an await of a worker or an API, met as it gives way (*at*) or goes on",
        "(*past*); there it was killed, frozen or told to leave.",
        "",
        "| part | points | of them struck |",
        "|---|---|---|",
        *(f"| {it.part} | {it.known} | {it.known - len(it.spared)} |" for it in outcome.points),
        "",
        *(f"- not struck: {it.part} {point}" for it in named for point in it.spared),
        "",
    ]


def _figures(outcome: Outcome) -> list[tuple[str, int]]:
    verdict = outcome.verdict
    return [
        ("faults injected", sum(outcome.faults.values())),
        ("faults that found nobody to strike", sum(outcome.missed.values())),
        ("orders that a client was told of", outcome.orders),
        ("orders in the books", len(verdict.statuses)),
        *((f"of them {name}", count) for name, count in sorted(outcome.by_status.items())),
        ("customers who gave up", len(outcome.given_up)),
        ("dead letters sent back", verdict.redriven),
        ("open cases, each with its name", verdict.open_cases),
        ("violations of a money invariant", len(verdict.offenders)),
        ("violations in what clients saw", len(outcome.broken)),
        ("orders made after the storm, for they were paid", outcome.made_last),
        ("orders made and not paid for, or paid for and not made", len(outcome.unmade)),
        ("dead letters left", len(verdict.dead)),
    ]


def _faults_found(outcome: Outcome) -> list[str]:
    told = [
        f"{it.invariant} {it.shop} {it.subject}: {it.detail}" for it in outcome.verdict.offenders
    ]
    return [*told, *outcome.broken, *outcome.unmade, *outcome.verdict.dead]
