"""What is wrong with manifests that every schema lets pass.

`server` holds what an API server refuses, `promises` what Comanda asks of its own workloads, and
`together` what only several objects, or the topology, can be wrong about.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from k8s.manifests import Manifest
from k8s.rules import pods, policies, promises, together, workloads

Rule = Callable[[Manifest], Iterator[str]]
SERVER_RULES: tuple[Rule, ...] = (*pods.RULES, *workloads.RULES, *policies.RULES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that is wrong, and where."""

    where: str
    what: str

    def __str__(self) -> str:
        """Write it on one line."""
        return f"{self.where}: {self.what}"


def refused(manifests: Sequence[Manifest]) -> tuple[Fault, ...]:
    """Give what an API server would refuse."""
    return _faults(manifests, SERVER_RULES)


def broken_promises(manifests: Sequence[Manifest]) -> tuple[Fault, ...]:
    """Give what an API server would take and we do not."""
    alone = _faults(manifests, promises.RULES)
    among = [Fault(where="together", what=what) for what in together.faults(manifests)]
    return (*alone, *among)


def _faults(manifests: Sequence[Manifest], rules: Sequence[Rule]) -> tuple[Fault, ...]:
    return tuple(
        Fault(where=str(manifest.key), what=what)
        for manifest in manifests
        for rule in rules
        for what in rule(manifest)
    )
