"""Write notifications as Mercado Pago does: address, headers, signature and body.

`ts` is real time even when the virtual clock is ahead, because a receiver refuses the future.
"""

import hmac
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

from local.mercadopago.applications import Application
from local.mercadopago.clock import utc_text
from local.mercadopago.sales import Dispute, Sale

ACTIONS = {
    "created": "order.created",
    "processing": "order.processing",
    "waiting": "order.action_required",
    "paid": "order.processed",
    "partially_refunded": "order.refunded",
    "cancelled": "order.canceled",
    "expired": "order.expired",
    "rejected": "order.failed",
    "refunded": "order.refunded",
    "in_mediation": "order.in_mediation",
    "charged_back": "order.charged_back",
    "settled": "order.charged_back",
    "reimbursed": "order.charged_back",
}
_STRANGER = "the-secret-of-another-application"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What one notification says: its topic, the id it is about, and its body."""

    topic: str
    data_id: str | None
    query: tuple[tuple[str, str], ...]
    body: dict[str, Any]
    is_signed: bool = True
    is_once: bool = False
    system: str = "WebHook v1.0"


def of_order(sale: Sale, application: Application, *, at: datetime) -> Notice:
    """Tell of an order; those of in-store codes are not signed."""
    status, detail = sale.order_words
    data = {
        "id": sale.id,
        "type": sale.kind,
        "external_reference": sale.reference,
        "status": status,
        "status_detail": detail,
        "total_paid_amount": str(sale.paid),
        "version": 1 + len(sale.refunds),
        "transactions": {"payments": [{"id": sale.payment_id, "status": status}]},
    }
    return Notice(
        topic="order",
        data_id=sale.id,
        query=(
            ("data.id", sale.id),
            ("type", "order"),
            ("data.external_reference", sale.reference),
        ),
        body=_envelope(application, "order", ACTIONS[sale.phase], data, at=at),
        is_signed=sale.kind != "qr",
    )


def of_payment(sale: Sale, application: Application, *, is_new: bool, at: datetime) -> Notice:
    """Tell of a payment."""
    action = "payment.created" if is_new else "payment.updated"
    body = _envelope(application, "payment", action, {"id": sale.number}, at=at)
    return Notice(
        topic="payment",
        data_id=sale.number,
        query=(("data.id", sale.number), ("type", "payment")),
        body={**body, "id": int(sale.number)},
    )


def of_ipn(sale: Sale) -> Notice:
    """Tell of a sale through the old system, whose signature cannot be verified."""
    topic, resource = "payment", sale.number
    if sale.kind == "qr":
        topic, resource = "merchant_order", f"/merchant_orders/{sale.number}"
    return Notice(
        topic=topic,
        data_id=None,
        query=(("id", sale.number), ("topic", topic)),
        body={"resource": resource, "topic": topic},
        is_signed=False,
        system="Feed v2.0",
    )


def of_dispute(sale: Sale, dispute: Dispute, application: Application, *, at: datetime) -> Notice:
    """Tell of a chargeback, whose ids are JSON numbers beyond 2^53, or of a claim."""
    if dispute.kind == "claim":
        topic = "topic_claims_integration_wh"
        data: dict[str, Any] = {
            "id": dispute.id,
            "resource": f"/post-purchase/v1/claims/{dispute.id}",
        }
        body = _envelope(application, topic, "updated", data, at=at)
    else:
        topic = "topic_chargebacks_wh"
        data = {"id": int(dispute.id), "payment_id": int(sale.number)}
        body = _envelope(application, topic, "", data, at=at)
        del body["action"]
        body["actions"] = ["changed_case_status"]
    query = (("data.id", dispute.id), ("type", topic))
    return Notice(topic=topic, data_id=dispute.id, query=query, body=body)


def of_fraud(sale: Sale, application: Application, *, at: datetime) -> Notice:
    """Tell the shop not to hand anything over; this is sent once and never again."""
    topic = "stop_delivery_op_wh"
    data = {
        "description": "Possible fraud: do not deliver.",
        "merchant_order": int(sale.number),
        "payment_id": int(sale.number),
        "site_id": "MLB",
    }
    body = _envelope(application, topic, "Created", data, at=at)
    return Notice(topic=topic, data_id=None, query=(("type", topic),), body=body, is_once=True)


def of_test(data_id: str, application: Application, *, at: datetime) -> Notice:
    """Tell what the panel's test button tells."""
    body = _envelope(application, "test", "test.created", {"id": data_id}, at=at)
    query = (("data.id", data_id), ("type", "test"))
    return Notice(topic="test", data_id=data_id, query=query, body=body)


def address(base: str, query: Iterable[tuple[str, str]]) -> str:
    """Add a query to an address that may have one of its own."""
    parts = urlsplit(base)
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *query]
    return urlunsplit(parts._replace(query=urlencode(pairs)))


def headers(notice: Notice, application: Application, *, faults: frozenset[str]) -> dict[str, str]:
    """Write the headers, signed as the faults have it."""
    written = {
        "Content-Type": "application/json",
        "User-Agent": f"MercadoPago {notice.system} {notice.topic}",
    }
    request_id = None if "webhook_no_request_id" in faults else str(uuid4())
    if request_id is not None:
        written["X-Request-Id"] = request_id
    if notice.system != "WebHook v1.0":
        # The old system sends a signature, too, but of something that nobody can compute.
        written["X-Signature"] = f"ts={_ts(faults)},v1={uuid4().hex * 2}"
    elif notice.is_signed and "webhook_unsigned" not in faults:
        written["X-Signature"] = signature(
            notice.data_id, request_id, application=application, faults=faults
        )
    return written


def signature(
    data_id: str | None,
    request_id: str | None,
    *,
    application: Application,
    faults: frozenset[str] = frozenset(),
) -> str:
    """Sign with the newest secret."""
    key = application.webhook_secrets[0]
    if "webhook_wrong_secret" in faults:
        key = _STRANGER
    if data_id is not None and "webhook_verbatim" not in faults:
        data_id = data_id.lower()
    ts = _ts(faults)
    # Written anew here, so that a slip in the shop's own verifier cannot hide in a shared line.
    parts = (("id", data_id), ("request-id", request_id), ("ts", ts))
    manifest = "".join(f"{name}:{value};" for name, value in parts if value is not None)
    return f"ts={ts},v1={hmac.digest(key.encode(), manifest.encode(), 'sha256').hex()}"


def write(body: dict[str, Any]) -> str:
    """Write a body."""
    return json.dumps(body, separators=(",", ":"))


def _ts(faults: frozenset[str]) -> str:
    at = time.time()
    return str(int(at * 1000)) if "webhook_milliseconds" in faults else str(int(at))


def _envelope(
    application: Application, topic: str, action: str, data: dict[str, Any], *, at: datetime
) -> dict[str, Any]:
    return {
        "id": uuid4().hex,
        "live_mode": not application.is_test,
        "type": topic,
        "date_created": utc_text(at),
        "application_id": application.application_id,
        "user_id": application.user_id,
        "version": 0,
        "api_version": "v1",
        "action": action,
        "data": data,
    }
