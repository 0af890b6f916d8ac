"""A rejected message tells its dead-letter queue why, whose it was and since when."""

import json
from datetime import timedelta
from typing import Any

from comanda.messaging.sqs import SQSQueue

RAW = {
    "MessageId": "m-1",
    "Body": "{}",
    "ReceiptHandle": "r-1",
    "Attributes": {
        "ApproximateReceiveCount": "3",
        "SentTimestamp": "1767323045000",
        "ApproximateFirstReceiveTimestamp": "1767323046500",
    },
    "MessageAttributes": {"type": {"DataType": "String", "StringValue": "orders.order.paid.v1"}},
}


class Client:
    """Answers one receive, and remembers what is sent."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self.sent: dict[str, str] = {}

    async def receive_message(self, **_: Any) -> dict[str, Any]:
        return {"Messages": [self._raw]}

    async def send_message(self, **params: Any) -> None:
        self.sent = {k: v["StringValue"] for k, v in params["MessageAttributes"].items()}

    async def delete_message_batch(self, **_: Any) -> dict[str, Any]:
        return {}


async def rejected(raw: dict[str, Any]) -> dict[str, str]:
    client = Client(raw)
    queue = SQSQueue(client, url="http://bus/1/comanda-orders", dlq_url="http://bus/1/dead")
    (message,) = await queue.receive(limit=1, wait=timedelta())
    await queue.reject(message, reason="unknown order")
    return client.sent


async def test_the_letter_carries_reason_and_history_beside_its_own_attributes() -> None:
    sent = await rejected(RAW)

    assert json.loads(sent.pop("history")) == {
        "queue": "comanda-orders",
        "message_id": "m-1",
        "sent_at": "2026-01-02T03:04:05.000+00:00",
        "first_received_at": "2026-01-02T03:04:06.500+00:00",
    }
    assert sent == {
        "type": "orders.order.paid.v1",
        "reason": "unknown order",
        "receive_count": "3",
    }


async def test_a_letter_never_has_more_attributes_than_a_queue_takes() -> None:
    many = {f"a{n}": {"DataType": "String", "StringValue": "x"} for n in range(10)}

    sent = await rejected({**RAW, "MessageAttributes": many})

    assert len(sent) == 10
    assert sent["reason"] == "unknown order"


async def test_an_older_reason_makes_way_for_the_new_one() -> None:
    older = {"reason": {"DataType": "String", "StringValue": "older"}}

    assert (await rejected({**RAW, "MessageAttributes": older}))["reason"] == "unknown order"
