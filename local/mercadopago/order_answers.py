"""Show sales in the words of the Orders API: amounts are text."""

from typing import Any

from local.mercadopago.applications import Application
from local.mercadopago.clock import utc_text
from local.mercadopago.pix_answers import code_of, end_to_end_id, image_of, ticket_of
from local.mercadopago.sales import Dispute, Refund, Sale

_ORDER_REFUND = {"in_process": "processing", "approved": "processed", "rejected": "failed"}


def order(sale: Sale, application: Application, *, is_drawn: bool) -> dict[str, Any]:
    """Show an order; its QR image is drawn only when asked for, because that costs 30 ms."""
    status, detail = sale.order_words
    shown: dict[str, Any] = {
        "id": sale.id,
        "type": sale.kind,
        "processing_mode": sale.processing_mode,
        "capture_mode": "automatic",
        "external_reference": sale.reference,
        "description": sale.description,
        "total_amount": str(sale.amount),
        "total_paid_amount": str(sale.paid),
        "country_code": "BRA",
        "currency": sale.currency,
        "user_id": sale.receiver,
        "status": status,
        "status_detail": detail,
        "created_date": utc_text(sale.created_at),
        "last_updated_date": utc_text(sale.updated_at),
        "integration_data": {"application_id": application.application_id},
        "transactions": {
            "payments": [_transaction(sale, is_drawn=is_drawn)],
            "refunds": [_order_refund(sale, refund) for refund in sale.refunds],
            "chargebacks": [_chargeback_of_order(sale, d) for d in _chargebacks(sale)],
        },
    }
    if sale.kind == "qr":
        shown["type_response"] = {"qr_data": code_of(sale)}
    return shown


def _transaction(sale: Sale, *, is_drawn: bool) -> dict[str, Any]:
    status, detail = sale.order_words
    return {
        "id": sale.payment_id,
        "reference_id": sale.number,
        "amount": str(sale.amount),
        "paid_amount": str(sale.paid),
        "refunded_amount": str(sale.refunded),
        "status": status,
        "status_detail": detail,
        "date_of_expiration": utc_text(sale.expires_at),
        "payment_method": {
            "id": "pix",
            "type": "bank_transfer",
            "qr_code": code_of(sale),
            "qr_code_base64": image_of(sale, is_drawn=is_drawn),
            "ticket_url": ticket_of(sale),
            "e2e_id": end_to_end_id(sale),
        },
    }


def _order_refund(sale: Sale, refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.id,
        "transaction_id": sale.payment_id,
        "reference_id": refund.id.removeprefix("REF"),
        "amount": str(refund.amount),
        "status": _ORDER_REFUND[refund.status],
        "e2e_id": None,
    }


def _chargeback_of_order(sale: Sale, dispute: Dispute) -> dict[str, Any]:
    return {
        "id": dispute.id,
        "transaction_id": sale.payment_id,
        "case_id": dispute.id,
        "status": dispute.stage,
        "references": [],
    }


def _chargebacks(sale: Sale) -> list[Dispute]:
    return [dispute for dispute in sale.disputes if dispute.kind == "chargeback"]
