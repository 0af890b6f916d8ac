"""What a sale is when it begins: its ids, its code and its time."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from comanda.money import Money
from local.mercadopago import brcode
from local.mercadopago.applications import Application
from local.mercadopago.sales import Api, Sale, State

CITY = "SAO PAULO"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DYNAMIC = "pix-qr.sim.invalid/instore/o/v2/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A valid request for a sale, whichever API it came through."""

    api: Api
    kind: str
    amount: Money
    reference: str
    expiry: timedelta
    payer_email: str = ""
    first_name: str = ""
    description: str = ""
    notification_url: str = ""
    processing_mode: str = "automatic"
    metadata: dict[str, Any] = field(default_factory=dict)


def new_sale(wanted: Wanted, application: Application, *, now: datetime) -> Sale:
    """Make a sale that waits for its payment, or to be processed."""
    number = payment_number()
    return Sale(
        id=_order_id(now, application) if wanted.api is Api.ORDERS else number,
        api=wanted.api,
        kind=wanted.kind,
        number=number,
        shop=application.shop,
        reference=wanted.reference,
        amount=wanted.amount,
        receiver=application.user_id,
        pix_code=_code(wanted, number=number, merchant=application.merchant),
        created_at=now,
        updated_at=now,
        expires_at=now + wanted.expiry,
        state=State.CREATED if wanted.processing_mode == "manual" else State.WAITING,
        payer_email=wanted.payer_email,
        description=wanted.description,
        notification_url=wanted.notification_url,
        processing_mode=wanted.processing_mode,
        metadata=wanted.metadata,
    )


def payment_number() -> str:
    """Invent the number of a payment: twelve digits, as live ones have."""
    return str(secrets.randbelow(9 * 10**11) + 10**11)


def number_in(url: str) -> str:
    """Read the payment's number out of the address in a dynamic code."""
    try:
        return str(UUID(url.removeprefix(_DYNAMIC)).int)
    except ValueError:
        return ""


def _code(wanted: Wanted, *, number: str, merchant: str) -> str:
    if wanted.kind == "qr":
        url = _DYNAMIC + str(UUID(int=int(number)))
        return brcode.build_dynamic(url=url, merchant=merchant, city=CITY)
    return brcode.build(
        amount=wanted.amount, merchant=merchant, city=CITY, txid=f"mpqrinter{number}"
    )


def _order_id(now: datetime, application: Application) -> str:
    value = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    letters = "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
    return ("ORDTST" if application.is_test else "ORD") + letters
