"""Tell of a soak: the figures on a terminal, a page with them, and the picture."""

from pathlib import Path

from rich.console import Console

from local.soak.drawing import draw
from local.soak.running import Outcome

_MOST_TOLD = 10


def print_outcome(outcome: Outcome, console: Console) -> None:
    """Print what was put on, what grew too much, and the verdict."""
    for line in _summary(outcome):
        console.print(line, soft_wrap=True)
    for it in outcome.growths:
        if it.is_too_much:
            console.print(
                f"[red]{it.name}: {it.kind} rose by {it.rise:.3g}, {it.room:.3g} is allowed[/]"
            )
    for fault in _faults(outcome):
        console.print(f"[red]{fault}[/]", soft_wrap=True)
    console.print("All stayed flat." if outcome.is_flat else "[red]Something grew or failed.[/]")


def write_pages(outcome: Outcome, folder: Path) -> None:
    """Write `soak.md` and `soak.svg`."""
    (folder / "soak.svg").write_text(draw(outcome.series))
    lines = [
        "# The soak",
        "",
        "Written by `make soak`: a whole laptop sells at half the rate that it was found to bear,",
        "and each process of ours is looked at. A line is laid through all looks but the first",
        "fifth; the run fails when a line rises by more than its room, or anything fails or dies.",
        "",
        *(f"- {line}" for line in _summary(outcome)),
        "",
        "![Memory, handles, tasks and latency over the run](soak.svg)",
        "",
        "| process | figure | middle | rise | room |",
        "|---|---|---|---|---|",
        *(
            f"| {it.name} | {it.kind} | {it.middle:.3g} | {it.rise:+.2g} | {it.room:.3g} |"
            for it in outcome.growths
        ),
        "",
        *(f"- {fault}" for fault in _faults(outcome)),
    ]
    (folder / "soak.md").write_text("\n".join(lines).rstrip() + "\n")


def _summary(outcome: Outcome) -> list[str]:
    soak = outcome.soak
    return [
        f"{outcome.borne:.1f} orders a second were borne by {soak.people} people side by side for"
        f" {soak.measuring:.0f} s; {outcome.borne / 2:.1f} were put on for {soak.seconds:.0f} s",
        f"{outcome.orders} orders reached the kitchen, {len(outcome.faults)} customers were failed",
        f"{outcome.restarts} processes died; {_judged(outcome)}",
    ]


def _judged(outcome: Outcome) -> str:
    if outcome.unread:
        return f"the books were not read, so no invariant was asked: {outcome.unread}"
    violated, dead = len(outcome.verdict.offenders), len(outcome.verdict.dead)
    return f"{violated} invariants were violated, {dead} dead letters were left"


def _faults(outcome: Outcome) -> list[str]:
    verdict = outcome.verdict
    told = [f"{it.shop} {it.subject}: {it.detail}" for it in verdict.offenders]
    return [*outcome.faults, *told, *verdict.dead][:_MOST_TOLD]
