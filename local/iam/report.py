"""What the guard of a running laptop has seen: a line for people, and the record for the tests."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from rich.console import Console

from local.iam.laptop import GUARD
from local.iam.record import Entry, entry_of
from local.supervisor import System

_PATIENCE_SECONDS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """All calls of one run, by kind."""

    calls: int
    entries: tuple[Entry, ...]

    @property
    def denied(self) -> tuple[Entry, ...]:
        """Give the kinds that were refused, whether or not the caller said so."""
        return tuple(it for it in self.entries if not it.is_allowed)

    def sentence(self) -> str:
        """Say it in one line."""
        programs = len({it.workload for it in self.entries})
        kinds, denied = len(self.entries), len(self.denied)
        return f"IAM: {self.calls} calls of {kinds} kinds by {programs} workloads, {denied} denied"


def seen_by(system: System) -> Seen:
    """Ask the guard; raise `KeyError` for a laptop without one."""
    return _ask(f"{system.urls[GUARD]}/_guard")


def obey(system: System, policies: dict[str, object]) -> None:
    """Hold workloads of a running laptop to other policies."""
    url = f"{system.urls[GUARD]}/_guard"
    _ask(Request(url, data=json.dumps(policies).encode(), method="PUT"))  # noqa: S310  # Loopback.


def print_verdict(console: Console, system: System) -> bool:
    """Print what IAM said in this run, and tell whether nothing was denied.

    On a laptop without the guard there is nothing to say.
    """
    if GUARD not in system.urls:
        return True
    seen = seen_by(system)
    keep(seen)
    console.print(seen.sentence())
    for it in seen.denied:
        console.print(f"[red]denied[/]: {it.workload} {it.action} {it.resource} {it.context}")
    return not seen.denied


def keep(seen: Seen) -> None:
    """Add what was seen to the file that `COMANDA_IAM_RECORD` names, if it names one."""
    file = os.environ.get("COMANDA_IAM_RECORD")
    if file is not None:
        with Path(file).open("a") as out:
            out.writelines(json.dumps(it.as_data()) + "\n" for it in seen.entries)


def _ask(what: str | Request) -> Seen:
    with urlopen(what, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310  # Loopback.
        told = json.load(answer)
    return Seen(calls=told["calls"], entries=tuple(map(entry_of, told["entries"])))
