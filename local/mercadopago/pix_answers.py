"""What both APIs show of a Pix payment: its code, its image, its ids, amounts and instants."""

import base64
import io
from datetime import datetime, timedelta, timezone
from functools import lru_cache

import segno

from comanda.money import Money
from local.mercadopago.sales import Sale, State

_MANAUS = timezone(timedelta(hours=-4))
_CODELESS = frozenset({State.PROCESSING, State.CREATED})


def code_of(sale: Sale) -> str:
    """Give the Pix code once there is one."""
    return "" if sale.state in _CODELESS else sale.pix_code


def image_of(sale: Sale, *, is_drawn: bool) -> str:
    """Draw the QR code as base64 of a PNG, if asked to: it costs 30 ms."""
    return _png(sale.pix_code) if is_drawn and code_of(sale) else ""


def ticket_of(sale: Sale) -> str:
    """Give the page on which the code can be paid."""
    return f"/bank?code={code_of(sale)}" if code_of(sale) else ""


def end_to_end_id(sale: Sale) -> str | None:
    """Give the central bank's id of a payment that arrived."""
    if sale.paid_at is None:
        return None
    return f"E00000000{sale.paid_at:%Y%m%d%H%M}{sale.number[-11:]:0>11}"


def number_of(amount: Money) -> float:
    """Write an amount as the Payments API does."""
    return float(amount.to_decimal())


def local_time(at: datetime | None) -> str | None:
    """Write an instant in the provider's own offset."""
    return None if at is None else at.astimezone(_MANAUS).isoformat(timespec="milliseconds")


@lru_cache(maxsize=64)
def _png(code: str) -> str:
    image = io.BytesIO()
    segno.make(code, error="m", boost_error=False).save(image, kind="png", scale=10, border=4)
    return base64.b64encode(image.getvalue()).decode()
