"""The provider's adapter over real HTTP, against a server that says what a test tells it to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError

from comanda.ids import ShopId
from comanda.mercadopago.values import Flavour
from comanda.money import Money
from tests.payments_builders import CHARGE_ID, NOW, PRICE, SHOP, creating
from workers.payments.credentials import ShopCredentials, secrets_manager_reader
from workers.payments.mercadopago import MercadoPagoProvider
from workers.payments.model import ProviderStatus
from workers.payments.provider import ProviderKeyReused, ProviderRefused, ProviderUnavailable


def order(**changes: Any) -> dict[str, Any]:
    return {
        "id": "ORD01",
        "external_reference": CHARGE_ID,
        "user_id": "42",
        "status": "action_required",
        "status_detail": "waiting_transfer",
        "total_amount": "58.80",
        "last_updated_date": "2026-03-04T12:00:00.000Z",
        "transactions": {
            "payments": [
                {
                    "id": "PAY01",
                    "paid_amount": "0.00",
                    "date_of_expiration": "2026-03-04T12:30:00.000Z",
                    "payment_method": {"id": "pix", "qr_code": "000201"},
                }
            ]
        },
        **changes,
    }


class Bank:
    """What the server answers, in turn, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.url = ""

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        self.asked.append((method, path, headers, body))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def bank() -> Iterator[Bank]:
    with _serving(Bank()) as bank:
        yield bank


@contextmanager
def _serving(bank: Bank) -> Iterator[Bank]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = bank.answer(self.command, self.path, dict(self.headers), body)
            raw = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_GET  # noqa: N815  # The standard library looks methods up by these names.

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    bank.url = f"http://127.0.0.1:{server.server_port}"
    yield bank
    server.shutdown()
    server.server_close()


class Vault:
    """Secrets Manager with one secret, which can be rotated or lost."""

    def __init__(self) -> None:
        self.token: str | None = "token-1"
        self.reads: list[str] = []

    async def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803  # AWS's.
        self.reads.append(SecretId)
        if self.token is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        content = {"access_token": self.token, "user_id": "42", "webhook_secrets": []}
        return {"SecretString": json.dumps(content)}


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def provider(bank: Bank, vault: Vault) -> Iterator[MercadoPagoProvider]:
    ticks = iter(range(0, 10**6, 20))
    credentials = ShopCredentials(
        secrets_manager_reader(vault), stage="laptop", monotonic=lambda: float(next(ticks))
    )
    with MercadoPagoProvider(
        bank.url, credentials=credentials, guest_payer="pix@{shop}.example", clock=lambda: NOW
    ) as provider:
        yield provider


async def test_the_request_names_the_payer_and_the_shops_account(
    provider: MercadoPagoProvider, vault: Vault
) -> None:
    guest = await provider.prepare(CHARGE_ID, shop_id=SHOP, amount=PRICE, payer_email=None)
    known = await provider.prepare(CHARGE_ID, shop_id=SHOP, amount=PRICE, payer_email="m@x.com")

    body = json.loads(guest.request)
    assert guest.receiver == "42"
    assert body["payer"] == {"email": f"pix@{SHOP}.example"}
    assert (body["total_amount"], body["external_reference"]) == ("58.80", CHARGE_ID)
    assert json.loads(known.request)["payer"] == {"email": "m@x.com"}
    assert vault.reads == [f"comanda/laptop/{SHOP}/mercadopago"]


@pytest.mark.parametrize("flavour", Flavour)
async def test_bytes_without_the_payer_differ_in_the_payer_alone(
    bank: Bank, vault: Vault, flavour: Flavour
) -> None:
    credentials = ShopCredentials(secrets_manager_reader(vault), stage="laptop")
    with MercadoPagoProvider(
        bank.url,
        credentials=credentials,
        guest_payer="pix@{shop}.example",
        clock=lambda: NOW,
        flavour=flavour,
    ) as provider:
        known, guest = [
            await provider.prepare(CHARGE_ID, shop_id=SHOP, amount=PRICE, payer_email=email)
            for email in ("m@x.com", None)
        ]
        bare = provider.without_payer(creating(request=known.request, flavour=flavour))

    assert json.loads(bare) == json.loads(guest.request)


async def test_the_stored_bytes_go_out_under_the_charges_own_key(
    provider: MercadoPagoProvider, bank: Bank
) -> None:
    bank.answers = [(500, {"cause": [], "message": None}), (201, order())]

    fact = await provider.create(creating(request=b'{"as":"stored"}'))

    assert (fact.status, fact.pix_code, fact.amount) == (ProviderStatus.WAITING, "000201", PRICE)
    assert (fact.receiver, fact.currency, fact.method) == ("42", "BRL", "pix")
    assert [body for *_, body in bank.asked] == [b'{"as":"stored"}'] * 2
    assert {headers["X-Idempotency-Key"] for *_, headers, _ in bank.asked} == {CHARGE_ID}


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "invalid_total_amount", ProviderRefused),
        (402, "failed", ProviderRefused),
        (404, "order_not_found", ProviderUnavailable),
        (409, "idempotency_key_already_used", ProviderKeyReused),
        (409, "resource_locked", ProviderUnavailable),
        (401, "invalid_credentials", ProviderUnavailable),
    ],
)
async def test_a_refusal_keeps_its_name_and_an_outage_is_one(
    provider: MercadoPagoProvider, bank: Bank, *, status: int, code: str, expected: type[Exception]
) -> None:
    bank.answers = [(status, {"errors": [{"code": code}]})]

    with pytest.raises(expected):
        await provider.create(creating())


async def test_an_order_is_read_by_its_id_and_nothing_is_none(
    provider: MercadoPagoProvider, bank: Bank
) -> None:
    bank.answers = [(200, order()), (404, {}), (400, {"errors": [{"code": "invalid_path_param"}]})]

    found = await provider.fetch(SHOP, "ORD01")
    missing = await provider.fetch(SHOP, "ORD02")
    malformed = await provider.fetch(SHOP, "123456")

    assert found is not None
    assert (found.provider_id, found.asked_at) == ("ORD01", NOW)
    assert (missing, malformed) == (None, None)


async def test_a_rotated_token_is_read_anew(
    provider: MercadoPagoProvider, bank: Bank, vault: Vault
) -> None:
    bank.answers = [(200, order())]
    await provider.fetch(SHOP, "ORD01")
    bank.answers = [(401, {}), (200, order())]
    vault.token = "token-2"

    fact = await provider.fetch(SHOP, "ORD01")

    assert fact is not None
    tokens = [headers["Authorization"] for *_, headers, _ in bank.asked]
    assert tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("token", [None, ""])
async def test_credentials_that_cannot_be_read_are_an_outage(
    provider: MercadoPagoProvider, vault: Vault, token: str | None
) -> None:
    vault.token = token

    with pytest.raises(ProviderUnavailable):
        await provider.prepare(CHARGE_ID, shop_id=SHOP, amount=PRICE, payer_email=None)


async def test_a_malformed_secret_is_an_outage_that_does_not_repeat_it() -> None:
    async def read(_: str) -> str:
        return '{"access_token": "APP_USR-very-secret"'

    with pytest.raises(ProviderUnavailable) as caught:
        await ShopCredentials(read, stage="laptop").of(ShopId("some-shop"))

    assert "very-secret" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_an_old_key_is_looked_up_before_it_is_sent_again(
    provider: MercadoPagoProvider, bank: Bank
) -> None:
    old = creating(created_at=NOW - timedelta(days=1))
    bank.answers = [(200, {"data": [order(id="ORD09")]}), (200, {"data": []}), (201, order())]

    found = await provider.create(old)
    made = await provider.create(old)

    assert (found.provider_id, made.provider_id) == ("ORD09", "ORD01")
    assert [method for method, *_ in bank.asked] == ["GET", "GET", "POST"]


@pytest.mark.parametrize(
    ("status", "detail", "expected"),
    [
        ("created", "created", ProviderStatus.PROCESSING),
        ("processed", "accredited", ProviderStatus.PAID),
        ("processed", "partially_refunded", ProviderStatus.PARTIALLY_REFUNDED),
        ("processed", "something_new", ProviderStatus.UNRECOGNISED),
        ("accredited", "accredited", ProviderStatus.UNRECOGNISED),
        ("canceled", "canceled", ProviderStatus.CANCELLED),
        ("expired", "expired", ProviderStatus.EXPIRED),
        ("failed", "high_risk", ProviderStatus.REJECTED),
        ("charged_back", "", ProviderStatus.CHARGED_BACK),
    ],
)
async def test_the_providers_words_become_ours_and_new_ones_are_never_paid(
    provider: MercadoPagoProvider, bank: Bank, *, status: str, detail: str, expected: ProviderStatus
) -> None:
    bank.answers = [(200, order(status=status, status_detail=detail))]

    fact = await provider.fetch(SHOP, "ORD01")

    assert fact is not None
    assert fact.status is expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("58.8", PRICE), (58.8, PRICE), (58, Money.parse("58.00")), ("58.801", None), (None, None)],
)
async def test_amounts_are_exact_or_not_amounts(
    provider: MercadoPagoProvider, bank: Bank, *, amount: object, expected: Money | None
) -> None:
    bank.answers = [(200, order(total_amount=amount))]

    fact = await provider.fetch(SHOP, "ORD01")

    assert fact is not None
    assert fact.amount == expected
