"""Tell of a run: a table for a terminal, and `docs/proof.md`."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.chaos.figures import faults_found, figures
from local.chaos.hunt_report import HUNT, told_of_hunt
from local.chaos.running import Outcome

_MOST_TOLD = 20


def print_outcome(outcome: Outcome, console: Console) -> None:
    """Print what was done and everything that is wrong."""
    table = Table(title=f"Chaos, seed {outcome.trial.seed}")
    table.add_column("what")
    table.add_column("count", justify="right")
    for name, count in figures(outcome):
        table.add_row(name, str(count))
    console.print(table)
    for line in faults_found(outcome)[:_MOST_TOLD]:
        console.print(f"[red]{line}[/]", soft_wrap=True)
    verdict = "Nothing was violated." if outcome.is_sound else "[red]The promise was broken.[/]"
    console.print(verdict)


def write_proof(outcome: Outcome, path: Path) -> None:
    """Write the part of the page that the command makes; the other command's part stays."""
    storm, _, hunt = (path.read_text() if path.exists() else "").partition(HUNT)
    if outcome.trial.hunts:
        hunt = "\n".join(told_of_hunt(outcome))
    else:
        storm = "\n".join(_told_of_storm(outcome))
    page = storm.rstrip() + (f"\n\n{HUNT}{hunt.rstrip()}" if hunt.strip() else "")
    path.write_text(page.lstrip() + "\n")


def _told_of_storm(outcome: Outcome) -> list[str]:
    trial = outcome.trial
    return [
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
        *(f"| {name} | {count} |" for name, count in figures(outcome)),
        "",
        "| fault | injected | found nobody |",
        "|---|---|---|",
        *(
            f"| {name} | {outcome.faults[name]} | {outcome.missed[name]} |"
            for name in sorted({*outcome.faults, *outcome.missed})
        ),
        "",
        *_points(outcome),
        *(f"- {line}" for line in faults_found(outcome)[:_MOST_TOLD]),
    ]


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
