"""Orders and undelivered notifications in memory and in a log: SIGKILL loses nothing."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from local.mercadopago.orders import Order


@dataclass(kw_only=True, slots=True)
class Delivery:
    """A notification on its way; `due_at` is in seconds since the epoch."""

    id: str
    order_id: str
    action: str
    attempts: int
    due_at: float


class Store:
    """Everything the simulator knows; `save` comes before the answer."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "mercadopago.log"
        self.orders: dict[str, Order] = {}
        self.by_key: dict[tuple[str, str], Order] = {}
        self.by_code: dict[str, Order] = {}
        self.deliveries: dict[str, Delivery] = {}
        for fact in _read(self._path):
            self._apply(fact)
        self._file: TextIO = self._path.open("a", encoding="utf-8")

    def save(self, order: Order, *deliveries: Delivery) -> None:
        """Write an order and its notifications in one piece."""
        self._write(order=order.facts(), deliveries=[asdict(d) for d in deliveries])

    def save_delivery(self, delivery: Delivery) -> None:
        """Write that a notification is due at another time."""
        self._write(deliveries=[asdict(delivery)])

    def finish(self, delivery: Delivery) -> None:
        """Write that a notification arrived."""
        self._write(done=delivery.id)

    def _write(self, **fact: Any) -> None:
        self._apply(fact)
        # No fsync: the promise is to survive a killed process, not a power cut.
        self._file.write(json.dumps(fact, separators=(",", ":")) + "\n")
        self._file.flush()

    def _apply(self, fact: dict[str, Any]) -> None:
        if "order" in fact:
            facts = fact["order"]
            known = self.orders.get(facts["id"])
            order = known or Order(**facts)
            for name, value in facts.items():
                setattr(order, name, value)
            self.orders[order.id] = order
            self.by_key[order.token, order.key] = order
            self.by_code[order.pix_code] = order
        for facts in fact.get("deliveries", ()):
            self.deliveries[facts["id"]] = Delivery(**facts)
        if "done" in fact:
            self.deliveries.pop(fact["done"], None)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    whole = path.read_bytes().rpartition(b"\n")[0]
    # A last line that a kill cut short was never acknowledged, and must not spoil the next one.
    path.write_bytes(whole + b"\n" if whole else b"")
    for line in whole.splitlines():
        yield json.loads(line)
