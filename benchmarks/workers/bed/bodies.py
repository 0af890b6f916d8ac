"""What the messages of the bed hold: one event, in the form that each consumer expects.

A number makes a message: the same number is the same event, delivered again or not.
"""

import json
import os
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import md5

from comanda.envelope import Envelope
from comanda.events import PaymentApproved
from comanda.ids import ChargeId, EventId, OrderId, ShopId
from comanda.money import Money

QUEUE = "bench"
TASK = "benchmark.approve"
# One deployment serves many shops, and what a shop may hold up must not be all there is.
SHOPS = int(os.environ.get("BENCH_SHOPS", "4"))
_MARK = "%%%%%%%%%%%%"
_EVENT_ID = "01890a5d-ac96-774b-b9aa-{}"
_ORDER_ID = "01890a5d-ac96-774b-bccc-{}"
_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

# The body as it stands between the quotes of a JSON string, and the MD5 of the body itself.
Body = tuple[bytes, bytes]
Render = Callable[[int], Body]


def event_id(number: int) -> str:
    """Give the id of the event in message `number`."""
    return _EVENT_ID.format(f"{number:012x}")


def envelope_text(number: int) -> str:
    """Give the text of the envelope in message `number`."""
    return _PLAIN[number % SHOPS].replace(_MARK, f"{number:012x}")


def renderer(kind: str) -> Render:
    """Choose the form: `comanda`, `celery`, `dramatiq` or `taskiq`."""
    return {
        "comanda": _comanda,
        "celery": _whole(_celery),
        "dramatiq": _whole(_dramatiq),
        "taskiq": _whole(_taskiq),
    }[kind]


def _plain(shop: str) -> str:
    order_id = OrderId(_ORDER_ID.format(_MARK))
    event = PaymentApproved(
        shop_id=ShopId(shop),
        order_id=order_id,
        charge_id=ChargeId(_ORDER_ID.format(_MARK)),
        amount=Money.parse("42.90"),
        approved_at=_AT,
    )
    # Envelope and order differ from message to message; only the mark has to be replaced.
    event_id_ = EventId(_EVENT_ID.format(_MARK))
    return Envelope(id=event_id_, time=_AT, event=event, correlation_id=str(order_id)).to_json()


_PLAIN = [_plain(f"lanchonete-{n}") for n in range(SHOPS)]
_PARTS = [[part.encode() for part in text.split(_MARK)] for text in _PLAIN]
_QUOTED = [[json.dumps(part)[1:-1].encode() for part in text.split(_MARK)] for text in _PLAIN]


def _comanda(number: int) -> Body:
    digits = b"%012x" % number
    shop = number % SHOPS
    digest = md5(digits.join(_PARTS[shop]), usedforsecurity=False).hexdigest()
    return digits.join(_QUOTED[shop]), digest.encode()


def _whole(text_of: Callable[[int], str]) -> Render:
    def render(number: int) -> Body:
        text = text_of(number)
        digest = md5(text.encode(), usedforsecurity=False).hexdigest()
        return json.dumps(text)[1:-1].encode(), digest.encode()

    return render


def _base64(value: object) -> str:
    return b64encode(json.dumps(value).encode()).decode()


def _celery(number: int) -> str:
    task_id = event_id(number)
    properties = {
        "correlation_id": task_id,
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": QUEUE},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": task_id,
    }
    return _base64(
        {
            "body": _base64([[envelope_text(number)], {}, {}]),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": TASK, "id": task_id, "root_id": task_id},
            "properties": properties,
        }
    )


def _dramatiq(number: int) -> str:
    return _base64(
        {
            "queue_name": QUEUE,
            "actor_name": TASK,
            "args": [envelope_text(number)],
            "kwargs": {},
            "options": {},
            "message_id": event_id(number),
            "message_timestamp": 1_767_323_045_000,
        }
    )


def _taskiq(number: int) -> str:
    return json.dumps(
        {
            "task_id": event_id(number),
            "task_name": TASK,
            "labels": {},
            "labels_types": {},
            "args": [envelope_text(number)],
            "kwargs": {},
        }
    )
