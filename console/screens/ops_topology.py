"""For who runs the shop's system: who hears whom, who is ready, what stands still."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from comanda.settings import topology
from console.queues.processes import ProcessState
from console.queues.queues import QueueState
from console.screens.doors import OpenDesk, Owner
from console.screens.rendering import page

router = APIRouter(prefix="/ops/topology")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """A context on the road of events: its queue, its processes, and what is wrong with it."""

    context: str
    hears: tuple[tuple[str, int], ...]
    queue: QueueState | None
    api: ProcessState | None
    worker: ProcessState | None

    @property
    def faults(self) -> list[str]:
        """Say what is wrong, the gravest first; empty when all is well."""
        found = [
            f"{it.name}: {it.fault}" for it in (self.worker, self.api) if it and not it.is_ready
        ]
        if self.queue is not None and self.queue.is_deserted:
            found.append(f"{self.queue.waiting} messages wait, and nobody takes one")
        elif self.queue is not None and self._stands_still(self.queue):
            found.append(f"{self.queue.waiting} messages wait, and none was finished since")
        if self.worker is not None and self.worker.is_stuck:
            found.append(f"events unsent for {self.worker.outbox:.0f} s")
        return found

    def _stands_still(self, queue: QueueState) -> bool:
        return queue.waiting > 0 and self.worker is not None and self.worker.rate == 0


@router.get("")
async def show(owner: Owner, desk: OpenDesk) -> Response:
    """Show every context with its queue, processes, rates and outbox; what stands still is red."""
    processes = await desk.processes.states()
    queues = {state.context: state for state in await desk.queues.states()}
    return page(
        "ops_topology.html",
        session=owner,
        simulator=desk.simulator is not None,
        stops=stops(queues, processes),
        # Without their addresses nothing is known of processes, and that is no good news.
        knows_processes=bool(processes),
    )


def stops(queues: Mapping[str, QueueState], processes: Mapping[str, ProcessState]) -> list[Stop]:
    """Put together what is known of each context of the topology."""
    contexts = topology()["contexts"]
    return [
        Stop(
            context=name,
            hears=tuple(_heard(content.get("subscribes", ()))),
            queue=queues.get(name),
            # The edge's context of customers is served by auth.
            api=processes.get({"customers": "auth"}.get(name, name)),
            worker=processes.get(f"{name}-worker"),
        )
        for name, content in contexts.items()
    ]


def _heard(types: list[str]) -> list[tuple[str, int]]:
    senders = [name.partition(".")[0] for name in types]
    return [(sender, senders.count(sender)) for sender in dict.fromkeys(senders)]
