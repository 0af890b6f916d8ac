"""Build the guard from what it is told in a file: callers, policies, names and stand-ins."""

from pathlib import Path
from typing import Any

from local.iam.asked import Asker
from local.iam.guard import Callers, Guard
from local.iam.judging import Judge
from local.iam.record import Record


def guard_of(told: Any, *, record: Path) -> Guard:
    """Build the guard; raise `KeyError` for what it was not told."""
    return Guard(
        callers=Callers(account=told["account"], workloads=told["workloads"]),
        asker=Asker(keys=told["keys"], buckets=told["buckets"], secrets=frozenset(told["secrets"])),
        judge=Judge(told["policies"]),
        record=Record(record),
    )


def backends_of(told: Any) -> dict[str, str]:
    """Give the addresses of the stand-ins: `bus` and `aws`."""
    return dict(told["backends"])
