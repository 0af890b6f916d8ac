"""Dead letters in memory and on a bus, for those who redrive them."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from comanda.messaging.dead_letters import DeadLetter, Returned
from tests.bus_server import BusServer

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def now() -> datetime:
    return NOW


def letter(number: int, **attributes: str) -> DeadLetter:
    texts = {"type": "orders.order.paid.v1", **attributes}
    return DeadLetter(
        id=f"m{number}",
        body=f"body {number}",
        receipt=f"r{number}",
        sent_at=NOW,
        attributes=texts,
        wire={k: {"DataType": "String", "StringValue": v} for k, v in texts.items()},
    )


@dataclass
class InMemoryDeadLetters:
    """A port whose letters stay hidden until they are handed back; it can be told to fail."""

    visible: deque[DeadLetter] = field(default_factory=deque)
    sent: list[Returned] = field(default_factory=list)
    refuses: Callable[[DeadLetter], bool] = lambda letter: False
    deletes: Callable[[DeadLetter], bool] = lambda letter: True
    taken: int = 0
    in_flight: dict[str, DeadLetter] = field(default_factory=dict)

    async def take(self, *, limit: int, hold: timedelta) -> list[DeadLetter]:
        batch = [self.visible.popleft() for _ in range(min(limit, len(self.visible)))]
        self.in_flight |= {it.id: it for it in batch}
        self.taken += len(batch)
        return batch

    async def send_back(self, letters: Sequence[Returned]) -> dict[str, str]:
        refused = {it.letter.id: "Busy" for it in letters if self.refuses(it.letter)}
        self.sent += [it for it in letters if it.letter.id not in refused]
        return refused

    async def delete(self, letters: Sequence[DeadLetter]) -> int:
        gone = [it for it in letters if self.deletes(it)]
        for it in gone:
            self.in_flight.pop(it.id, None)
        return len(letters) - len(gone)

    async def hand_back(self, letters: Sequence[DeadLetter]) -> None:
        for it in letters:
            back = self.in_flight.pop(it.id, None)
            if back is not None:
                self.visible.append(back)

    def let_holds_run_out(self) -> None:
        self.visible.extend(self.in_flight.values())
        self.in_flight.clear()


def holding(*letters: DeadLetter) -> InMemoryDeadLetters:
    return InMemoryDeadLetters(visible=deque(letters))


@dataclass
class DeadQueue:
    """A queue on a bus with its dead letters."""

    bus: BusServer
    url: str
    dlq_url: str

    def bury(self, *bodies: str, **attributes: str) -> None:
        sqs = self.bus.client("sqs")
        texts = {"reason": "no such order", "receive_count": "1", **attributes}
        for start in range(0, len(bodies), 10):
            entries = [
                {
                    "Id": str(n),
                    "MessageBody": body,
                    "MessageAttributes": {
                        k: {"DataType": "String", "StringValue": v} for k, v in texts.items()
                    },
                }
                for n, body in enumerate(bodies[start : start + 10])
            ]
            sqs.send_message_batch(QueueUrl=self.dlq_url, Entries=entries)

    def arrived(self) -> list[Any]:
        """Receive and delete all that is on the input queue."""
        sqs = self.bus.client("sqs")
        found: list[Any] = []
        while True:
            answer = sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            )
            messages = answer.get("Messages", [])
            if not messages:
                return found
            found += messages
            entries = [
                {"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)
            ]
            sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)

    def left(self) -> dict[str, int]:
        return self.bus.control.queues()[self.dlq_url.rpartition("/")[2]]


def dead_queue(bus: BusServer, name: str) -> DeadQueue:
    return DeadQueue(bus, bus.queue(name), bus.queue(f"{name}-dlq"))
