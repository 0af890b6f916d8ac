"""Tell of a hunt: at how many lines of each worker somebody died, and at which nobody could."""

from local.chaos.figures import faults_found, figures
from local.chaos.points import Struck
from local.chaos.running import Outcome

HUNT = "## Every line at which a worker waits\n"
_MOST_TOLD = 20


def told_of_hunt(outcome: Outcome) -> list[str]:
    """Give the lines of the page's part about hunts, without its title."""
    trial = outcome.trial
    workers = [it for it in outcome.points if it.part.endswith("-worker")]
    known = sum(it.known for it in workers)
    struck = known - sum(len(it.spared) for it in workers)
    return [
        "",
        "Written by `make chaos POINTS=all`. All four workers die by SIGKILL at each line of ours",
        "that waits, the first time that they come to it, as it gives way (*at*) and as it goes on",
        "(*past*): every await of every handler, of the runtime and of its commits that the run",
        "reached. Each rises again at once. Meanwhile people buy, pay late, are paid back,",
        "dispute it, give up and are erased; owners count stock, change prices and replay; and",
        "network, bus, bank and stores fail now and then. Then everything drains, and the same",
        "judges read.",
        "",
        f"Seed {trial.seed}, {outcome.seconds:.0f} s, {trial.people} customers side by side and"
        " one of each errand at a time in each shop.",
        "",
        "| what | count |",
        "|---|---|",
        f"| points found | {known} |",
        f"| of them struck | {struck} |",
        f"| deaths that took | {outcome.deaths} |",
        *(f"| errands: {name} | {count} |" for name, count in sorted(outcome.errands.items())),
        *(f"| {name} | {count} |" for name, count in figures(outcome)),
        "",
        "| worker | points found | struck | not come to again |",
        "|---|---|---|---|",
        *map(_row, workers),
        "",
        *(f"- {it.part}, not come to again: {point}" for it in workers for point in it.spared),
        *(f"- {line}" for line in faults_found(outcome)[:_MOST_TOLD]),
    ]


def _row(it: Struck) -> str:
    return f"| {it.part} | {it.known} | {it.known - len(it.spared)} | {len(it.spared)} |"
