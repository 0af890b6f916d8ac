"""Show sales in the words of the Payments API and its neighbours: amounts are numbers."""

from typing import Any

from comanda.money import ZERO
from local.mercadopago.applications import Application
from local.mercadopago.pix_answers import (
    code_of,
    end_to_end_id,
    image_of,
    local_time,
    number_of,
    ticket_of,
)
from local.mercadopago.sales import Api, Dispute, Refund, Sale


def payment(sale: Sale, application: Application, *, is_drawn: bool) -> dict[str, Any]:
    """Show a payment; amounts are numbers."""
    status, detail = sale.payment_words
    return {
        "id": int(sale.number),
        "date_created": local_time(sale.created_at),
        "date_approved": local_time(sale.paid_at),
        "date_last_updated": local_time(sale.updated_at),
        "date_of_expiration": local_time(sale.expires_at),
        "money_release_date": local_time(sale.paid_at),
        "operation_type": "regular_payment",
        "payment_method_id": "pix",
        "payment_type_id": "bank_transfer",
        "payment_method": {"id": "pix", "type": "bank_transfer", "issuer_id": ""},
        "status": status,
        "status_detail": detail,
        "currency_id": sale.currency,
        "description": sale.description or None,
        "live_mode": not application.is_test,
        "collector_id": int(sale.receiver) if sale.receiver.isdigit() else sale.receiver,
        "payer": {"email": sale.payer_email or None, "id": None, "identification": {}},
        "metadata": sale.metadata,
        "external_reference": sale.reference or None,
        "transaction_amount": number_of(sale.amount),
        "transaction_amount_refunded": number_of(sale.refunded),
        "transaction_details": _details(sale),
        "fee_details": _fees(sale),
        "charges_details": _charges(sale),
        "refunds": [refund_of_payment(sale, refund) for refund in sale.refunds],
        "captured": True,
        "installments": 1,
        "order": {"id": sale.id, "type": "mercadopago"} if sale.api is Api.ORDERS else {},
        "notification_url": sale.notification_url or None,
        "point_of_interaction": {
            "type": "OPENPLATFORM",
            "business_info": {"unit": "online_payments", "sub_unit": "checkout_pro"},
            "application_data": {"name": application.shop, "version": None},
            "transaction_data": {
                "qr_code": code_of(sale),
                "qr_code_base64": image_of(sale, is_drawn=is_drawn),
                "ticket_url": ticket_of(sale),
                "transaction_id": None,
                "e2e_id": end_to_end_id(sale),
                "bank_info": {"payer": {}, "collector": {}},
            },
        },
    }


def refund_of_payment(sale: Sale, refund: Refund) -> dict[str, Any]:
    """Show a refund in the words of the Payments API."""
    return {
        "id": int(refund.id) if refund.id.isdigit() else refund.id,
        "payment_id": int(sale.number),
        "amount": number_of(refund.amount),
        "status": refund.status,
        "date_created": local_time(refund.created_at),
        "source": {"id": sale.receiver, "name": sale.shop, "type": "collector"},
        "refund_mode": "standard",
        "adjustment_amount": 0,
        "unique_sequence_number": None,
        "reason": None,
        "labels": [],
    }


def chargeback(sale: Sale, dispute: Dispute) -> dict[str, Any]:
    """Show a chargeback."""
    return {
        "id": dispute.id,
        "payments": [int(sale.number)],
        "amount": number_of(sale.paid),
        "currency": sale.currency,
        "reason": "fraud",
        "stage": dispute.stage,
        "coverage_applied": dispute.stage == "reimbursed",
        "coverage_elegible": True,
        "documentation_status": "pending",
        "live_mode": True,
        "date_created": local_time(dispute.created_at),
        "date_last_updated": local_time(sale.updated_at),
    }


def merchant_order(sale: Sale, application: Application) -> dict[str, Any]:
    """Show what the legacy in-store API calls a merchant order."""
    is_paid = sale.paid_at is not None
    return {
        "id": int(sale.number),
        "status": "closed" if is_paid else "opened",
        "order_status": "paid" if is_paid else "payment_required",
        "external_reference": sale.reference,
        "collector": {"id": sale.receiver},
        "application_id": application.application_id,
        "total_amount": number_of(sale.amount),
        "paid_amount": number_of(sale.paid),
        "refunded_amount": number_of(sale.refunded),
        "date_created": local_time(sale.created_at),
        "last_updated": local_time(sale.updated_at),
        "payments": [_merchant_payment(sale)] if is_paid else [],
    }


def _details(sale: Sale) -> dict[str, Any]:
    net = sale.paid - sale.fee if sale.paid != ZERO else ZERO
    return {
        "net_received_amount": number_of(net),
        "total_paid_amount": number_of(sale.paid),
        "overpaid_amount": 0,
        "installment_amount": 0,
        "external_resource_url": None,
        "financial_institution": None,
        "transaction_id": None,
        "bank_transfer_id": None,
    }


def _charges(sale: Sale) -> list[dict[str, Any]]:
    if sale.paid == ZERO:
        return []
    amounts = {"original": number_of(sale.fee), "refunded": 0}
    return [
        {"id": f"{sale.number}-001", "name": "mercadopago_fee", "type": "fee", "amounts": amounts}
    ]


def _fees(sale: Sale) -> list[dict[str, Any]]:
    if sale.paid == ZERO:
        return []
    amount = number_of(sale.fee)
    return [{"type": "mercadopago_fee", "amount": amount, "fee_payer": "collector"}]


def _merchant_payment(sale: Sale) -> dict[str, Any]:
    status, detail = sale.payment_words
    return {
        "id": int(sale.number),
        "status": status,
        "status_detail": detail,
        "transaction_amount": number_of(sale.amount),
        "total_paid_amount": number_of(sale.paid),
        "amount_refunded": number_of(sale.refunded),
        "currency_id": sale.currency,
        "date_approved": local_time(sale.paid_at),
    }
