"""The numbers of a run, for a terminal and for `docs/proof.md`."""

from local.chaos.running import Outcome


def figures(outcome: Outcome) -> list[tuple[str, int]]:
    """Count what was done, and what was found to be wrong."""
    verdict = outcome.verdict
    return [
        ("faults injected", sum(outcome.faults.values())),
        ("faults that found nobody to strike", sum(outcome.missed.values())),
        ("orders that a client was told of", outcome.orders),
        ("orders in the books", len(verdict.statuses)),
        *((f"of them {name}", count) for name, count in sorted(outcome.by_status.items())),
        ("customers who gave up", len(outcome.given_up)),
        ("errands of owners and customers", sum(outcome.errands.values())),
        ("dead letters sent back", verdict.redriven),
        ("open cases, each with its name", verdict.open_cases),
        ("violations of a money invariant", len(verdict.offenders)),
        ("violations in what clients saw", len(outcome.broken)),
        ("orders made after the storm, for they were paid", outcome.made_last),
        ("orders made and not paid for, or paid for and not made", len(outcome.unmade)),
        ("orders for which something was forgotten", len(verdict.stuck)),
        ("dead letters left", len(verdict.dead)),
    ]


def faults_found(outcome: Outcome) -> list[str]:
    """Name everything that is wrong."""
    told = [
        f"{it.invariant} {it.shop} {it.subject}: {it.detail}" for it in outcome.verdict.offenders
    ]
    verdict = outcome.verdict
    return [*told, *outcome.broken, *outcome.unmade, *verdict.stuck, *verdict.dead]
