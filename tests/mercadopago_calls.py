"""Both APIs of Mercado Pago before a scripted server, and how its documents look."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from comanda.mercadopago.api import ProviderAPI
from comanda.mercadopago.client import Rates, open_apis
from comanda.mercadopago.values import Flavour
from tests.payments_scripted import Script, scripted_server

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ORDER = {
    "id": "ORD01",
    "external_reference": "charge-1",
    "user_id": "42",
    "status": "action_required",
    "status_detail": "waiting_transfer",
    "total_amount": "58.80",
    "last_updated_date": "2026-03-04T12:00:00.000Z",
    "transactions": {
        "payments": [
            {
                "id": "PAY01",
                "reference_id": "123",
                "paid_amount": "0.00",
                "payment_method": {"id": "pix", "qr_code": "000201"},
            }
        ]
    },
}
PAYMENT = {
    "id": 123456789012,
    "external_reference": "charge-1",
    "collector_id": 42,
    "currency_id": "BRL",
    "status": "approved",
    "status_detail": "accredited",
    "transaction_amount": 58.8,
    "date_last_updated": "2026-03-04T08:00:00.000-04:00",
    "payment_method_id": "pix",
    "transaction_details": {"total_paid_amount": 58.8},
    "fee_details": [{"amount": 0.58}],
    "point_of_interaction": {"transaction_data": {"qr_code": "000201"}},
    "order": {"id": "ORD01"},
}


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


class Opened:
    """Both APIs, and how long they slept between tries."""

    def __init__(self, script: Script, rates: Rates | None = None) -> None:
        self.pauses: list[float] = []
        apis = open_apis(script.url, "token-1", rates=rates, sleep=self.pauses.append)
        self.orders: ProviderAPI = apis[Flavour.ORDERS]
        self.payments: ProviderAPI = apis[Flavour.PAYMENTS]


@pytest.fixture
def opened(script: Script) -> Opened:
    return Opened(script)
