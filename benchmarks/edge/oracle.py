"""Whatever is sent, the receiver must answer by name and believe only what is signed.

An event of API Gateway arrives; `check` raises `AssertionError` with what is wrong. The rules are
written down a second time here, independently of the receiver's own code.
"""

import hmac
import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from types import ModuleType
from typing import Any

from comanda.envelope import Envelope
from comanda.events import NotificationReceived, RawRequest
from comanda.ids import ShopId
from local.gateway.loading import load_app

SHOP = ShopId("lanchonete-da-ana")
SECRETS = ("local-sim-secret-0123456789abcdef", "the-secret-before-the-rotation")
NOW = datetime.fromtimestamp(1766455695, UTC)
ANSWERS = frozenset({200, 400, 401})
MOST_BYTES = 256 * 1024  # What SNS takes, attributes included.
ALERTS = frozenset(
    {"stop_delivery_op_wh", "topic_chargebacks_wh", "chargebacks", "topic_claims_integration_wh"}
)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SIGNATURE = re.compile(r"[0-9a-fA-F]{64}")


class Heard:
    """A publisher and a vault in memory."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    def publish(self, envelope: Envelope) -> None:
        """Keep it."""
        self.envelopes.append(envelope)

    def of(self, _: ShopId) -> tuple[str, ...]:
        """Give the secrets."""
        return SECRETS

    reread = of


class Subject:
    """The receiver under test."""

    def __init__(self) -> None:
        load_app("webhooks_lambda")
        self._parsing = _part("notification")
        self._refusals = tuple(
            getattr(self._parsing, name)
            for name in ("MalformedRequest", "TooLarge", "HeaderTooLarge")
        )
        self.heard = Heard()
        budget = _part("budget").Budget(size=10**9, seconds=1.0, clock=lambda: NOW)
        self._receiver = _part("receiver").Receiver(
            secrets=self.heard, publisher=self.heard, budget=budget, clock=lambda: NOW
        )

    def check(self, event: Mapping[str, Any], body: str) -> str:
        """Let the receiver judge and hold it to the rules; give the outcome's name."""
        self.heard.envelopes.clear()
        try:
            notification = self._parsing.parse(event, body)
        except self._refusals as exc:
            return type(exc).__name__
        outcome = self._receiver.receive(notification, shop_id=SHOP)
        assert outcome.status in ANSWERS, outcome
        assert len(self.heard.envelopes) <= 1
        for envelope in self.heard.envelopes:
            _check_envelope(envelope)
            is_believed = isinstance(envelope.event, NotificationReceived)
            assert is_believed == (outcome.status == 200), outcome
            if is_believed:
                _check_signature(envelope.event)
        return f"{outcome.status} {outcome.reason or len(self.heard.envelopes)}"


def _part(name: str) -> ModuleType:
    return sys.modules[f"chalicelib.{name}"]


def _check_envelope(envelope: Envelope) -> None:
    text = envelope.to_json()
    assert len(text.encode()) < MOST_BYTES
    assert not _FORBIDDEN.search(text)
    assert Envelope.from_json(text) == envelope


def _check_signature(event: Any) -> None:
    request: RawRequest = event.request
    headers, query = dict(request.headers), dict(request.query)
    parts = [part.partition("=") for part in headers["x-signature"].split(",")]
    named = {name.strip().lower(): value.strip() for name, _, value in parts}
    assert _SIGNATURE.fullmatch(named["v1"])
    data_id, request_id = query.get("data.id"), headers.get("x-request-id", "").strip()
    readings = {data_id.lower(), data_id} if data_id else {None}
    expected = {
        _digest(secret, reading, request_id, named["ts"])
        for secret in SECRETS
        for reading in readings
    }
    assert named["v1"].lower() in expected, "believed without a signature"
    if data_id:
        assert event.resource_id == data_id
    else:
        assert event.topic in ALERTS
        data = json.loads(request.body)["data"]
        assert event.resource_id in (str(data.get("payment_id")), str(data.get("id")))


def _digest(secret: str, data_id: str | None, request_id: str, ts: str) -> str:
    manifest = f"id:{data_id};" if data_id else ""
    manifest += f"request-id:{request_id};" if request_id else ""
    return hmac.new(secret.encode(), f"{manifest}ts:{ts};".encode(), sha256).hexdigest()
