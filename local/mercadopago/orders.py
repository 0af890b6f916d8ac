"""An order of the simulator and the answer that tells of it."""

import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from local.mercadopago import brcode
from local.mercadopago.requests import PixRequest

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
WAITING = ("action_required", "waiting_transfer")
PAID = ("processed", "accredited")
EXPIRED = ("expired", "expired")
CANCELED = ("canceled", "canceled")


@dataclass(kw_only=True, slots=True)
class Order:
    """One order with its one Pix payment; instants are ISO 8601 text in UTC."""

    id: str
    payment_id: str
    token: str
    key: str
    digest: str
    reference: str
    amount: str
    pix_code: str
    created_at: str
    updated_at: str
    expires_at: str
    status: str = WAITING[0]
    detail: str = WAITING[1]
    paid_at: str | None = None

    @property
    def is_waiting(self) -> bool:
        """Tell whether it can be paid."""
        return (self.status, self.detail) == WAITING

    def become(self, state: tuple[str, str], *, now: datetime) -> None:
        """Change the state."""
        self.status, self.detail = state
        self.updated_at = instant(now)
        if state == PAID:
            self.paid_at = self.updated_at

    def expire(self, *, now: datetime) -> bool:
        """Expire when it is time; tell whether it just happened."""
        if not self.is_waiting or instant(now) < self.expires_at:
            return False
        self.become(EXPIRED, now=now)
        return True

    def facts(self) -> dict[str, Any]:
        """Give all that the store keeps."""
        return asdict(self)


def new_order(request: PixRequest, *, token: str, key: str, digest: str, now: datetime) -> Order:
    """Make an order with its payable code."""
    payment_number = secrets.randbelow(9 * 10**11) + 10**11
    code = brcode.build(
        amount=request.amount,
        merchant="COMANDA SIMULADA",
        city="SAO PAULO",
        txid=f"mpqrinter{payment_number}",
    )
    return Order(
        id="ORD" + _random(26),
        payment_id="PAY" + _random(26),
        token=token,
        key=key,
        digest=digest,
        reference=request.reference,
        amount=request.amount,
        pix_code=code,
        created_at=instant(now),
        updated_at=instant(now),
        expires_at=instant(now + request.expiry),
    )


def answer(order: Order, *, user_id: str, application_id: str, image: str = "") -> dict[str, Any]:
    """Give the JSON of an order; `image` is the base64 of a PNG, drawn only when asked for."""
    paid = order.amount if order.paid_at else "0.00"
    method = {
        "id": "pix",
        "type": "bank_transfer",
        "qr_code": order.pix_code,
        "qr_code_base64": image,
        "ticket_url": f"/bank?code={order.pix_code}",
    }
    payment = {
        "id": order.payment_id,
        "reference_id": order.payment_id[3:],
        "amount": order.amount,
        "paid_amount": paid,
        "refunded_amount": "0.00",
        "status": order.status,
        "status_detail": order.detail,
        "date_of_expiration": order.expires_at,
        "payment_method": method,
    }
    return {
        "id": order.id,
        "type": "online",
        "processing_mode": "automatic",
        "capture_mode": "automatic",
        "external_reference": order.reference,
        "total_amount": order.amount,
        "total_paid_amount": paid,
        "country_code": "BRA",
        "currency": "BRL",
        "user_id": user_id,
        "status": order.status,
        "status_detail": order.detail,
        "created_date": order.created_at,
        "last_updated_date": order.updated_at,
        "integration_data": {"application_id": application_id},
        "transactions": {"payments": [payment], "refunds": [], "chargebacks": []},
    }


def instant(at: datetime) -> str:
    """Write an instant with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
