"""Dead letters on the queues of a stage, as our own workers bury them."""

from uuid import UUID

from comanda.envelope import seal
from comanda.events import OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.settings import topology
from tests.bus_server import BusServer
from tests.console_bed import NOW
from tests.redrive_letters import DeadQueue, dead_queue

STAGE = "letters"


def dead_queues(bus: BusServer) -> dict[str, DeadQueue]:
    """Make the queues of all contexts that have one."""
    contexts = topology()["contexts"]
    prefix = topology()["prefix"]
    return {
        name: dead_queue(bus, f"{prefix}-{STAGE}-{name}")
        for name, content in contexts.items()
        if "queue" in content
    }


def event_body(number: int, *, shop: str = "cantina") -> str:
    """Write an event that reads well; the same number is the same event, for any shop."""
    event = OrderPaid(shop_id=ShopId(shop), order_id=OrderId(str(UUID(int=number))))
    envelope = seal(event, now=NOW)
    return envelope.to_json().replace(envelope.id, str(UUID(int=1000 + number)))


def bury(queue: DeadQueue, *bodies: str, **attributes: str) -> None:
    """Put letters among the dead ones of a queue."""
    queue.bury(*bodies, **attributes)
