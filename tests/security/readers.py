"""Every reader of what others send, with good texts to begin with and what it may raise."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import ValidationError

from comanda.codec import read_instant, write_instant
from comanda.cpf import CPF, InvalidCPF
from comanda.envelope import Envelope, InvalidEnvelope
from comanda.ids import InvalidShopId, ShopId
from comanda.mercadopago.signature import Signed, Unverified, sign, verify
from comanda.messaging.dead_letters import DeadLetter
from comanda.money import InvalidMoney, Money
from comanda.problems.telling import language_of
from console.queues.letters import edited_body, read_letter
from console.screens.sealing import Sealer
from console.screens.sessions import LONGEST_VISIT
from tests.security.mutating import Mutator
from workers.archive.model import entry_of, read_entry, without_person
from workers.archive.objects import packed, unpacked
from workers.catalog.sheet import planned, written
from workers.orders.asking import wait_of
from workers.orders.bodies import OrderBody
from workers.orders.doors import audit_position_of, cursor_of, position_of
from workers.orders.outbound import UnsafeAddress, check_url
from workers.runtime.problems import Problem

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SHOP = ShopId("lanchonete-da-ana")
_CORPUS = Path(__file__).parents[1] / "corpus" / "events" / "0.1.0.jsonl"
_SECRET = "a-secret-of-a-shop"
_IDS = ("123456789012", "ORD01JQ4S4KY8HWQ6NA5PXB65B3D3")
_REQUEST = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One reader; `read` raises `AssertionError` when it read what it must not."""

    name: str
    seeds: tuple[str, ...]
    read: Callable[[str], object]
    refuses: tuple[type[Exception], ...] = ()

    def mutator(self) -> Mutator:
        """Give what makes inputs for it."""
        return Mutator(self.seeds)


def _as_sqs_has_it(text: str) -> str:
    # What SQS carries is UTF-8; half a pair can only be there as an escape.
    return text.encode("utf-8", "replace").decode()


def _envelope(text: str) -> None:
    text = _as_sqs_has_it(text)
    envelope = Envelope.from_json(text)
    assert Envelope.from_json(envelope.to_json()) == envelope
    entry = entry_of(envelope)
    assert read_entry(entry.body).event_id == envelope.id
    assert unpacked(packed([entry.body])) == [entry.body]
    without_person(entry.body)


def _letter(text: str) -> None:
    text = _as_sqs_has_it(text)
    letter = DeadLetter(
        id="1",
        body=text,
        receipt="r",
        sent_at=NOW,
        receive_count=1,
        attributes={"history": text, "redriven_count": text, "reason": text, "type": text},
        wire={},
    )
    read = read_letter(letter)
    json.dumps(read.to_json())
    assert isinstance(read.pretty, str)
    assert edited_body(letter, text) == text


def _money(text: str) -> None:
    money = Money.parse(text)
    assert Money.parse(str(money)) == money
    assert Money.from_decimal(money.to_decimal()) == money


def _cpf(text: str) -> None:
    assert CPF(CPF(text).digits).digits == CPF(text).digits


def _instant(text: str) -> None:
    at = read_instant(text)
    assert read_instant(write_instant(at)) == at


def _cursor(text: str) -> None:
    assert position_of(cursor_of(position_of(text))) == position_of(text)


def _sheet(text: str) -> None:
    plan = planned(text, shop_id=SHOP, products=(), now=NOW)
    told = written([entry.product for entry in plan.entries])
    for row in csv.reader(io.StringIO(told.removeprefix("\ufeff")), delimiter=";"):
        assert not [cell for cell in row if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}], row


def _url(text: str) -> None:
    host = urlsplit(check_url(text)).hostname or ""
    inside = (
        "127.",
        "10.",
        "169.254.",
        "192.168.",
        "::1",
        "::ffff:127.",
        "::ffff:169.254.",
        "fe80",
        "fd",
    )
    assert not (host.startswith(inside) and is_literal(host)), host


def is_literal(host: str) -> bool:
    """Tell whether a host is an address and no name."""
    try:
        return bool(ip_address(host.partition("%")[0]))
    except ValueError:
        return False


def _order(text: str) -> None:
    OrderBody.model_validate(json.loads(text))


def _header(text: str) -> None:
    data_id, _, header = text.partition("|")
    signed = Signed(signature=header, request_id=_REQUEST, data_id=data_id)
    assert verify(signed, secrets=[_SECRET], now=NOW) == 0
    parts = (part.partition("=") for part in header.split(","))
    named = {name.strip().lower(): value.strip() for name, _, value in parts}
    good = {sign(secret=_SECRET, data_id=i, request_id=_REQUEST, ts=named["ts"]) for i in _IDS}
    assert f"ts={named['ts']},v1={named['v1'].lower()}" in good
    assert data_id.lower() in {i.lower() for i in _IDS}


def _cookies() -> Reader:
    sealer = Sealer(Fernet.generate_key().decode())
    content = {"shop": str(SHOP), "token": "x" * 300, "kiosk": "k1"}
    good = sealer.seal(content)

    def read(text: str) -> None:
        # A browser's header is decoded as latin-1 before it comes here.
        opened = sealer.open(text.encode("latin-1", "replace").decode("latin-1"), age=LONGEST_VISIT)
        assert opened is None or opened == content

    return Reader(name="session cookie", seeds=(good,), read=read)


def _events() -> tuple[str, ...]:
    return tuple(_CORPUS.read_text().splitlines()[:120])


def _headers() -> tuple[str, ...]:
    stamps = ("1766455693", "1766455693000")
    return tuple(
        f"{i}|{sign(secret=_SECRET, data_id=i, request_id=_REQUEST, ts=ts)}"
        for i in _IDS
        for ts in stamps
    )


_LINES = {"product_id": "x-salada", "quantity": 2, "note": "sem cebola", "options": ["ponto"]}
READERS: tuple[Reader, ...] = (
    Reader(name="envelope", seeds=_events(), read=_envelope, refuses=(InvalidEnvelope,)),
    Reader(name="dead letter", seeds=_events()[:40], read=_letter, refuses=(InvalidEnvelope,)),
    Reader(name="signature header", seeds=_headers(), read=_header, refuses=(Unverified,)),
    Reader(
        name="money",
        seeds=("58.80", "0", "9999999999.99", "1.5"),
        read=_money,
        refuses=(InvalidMoney,),
    ),
    Reader(name="CPF", seeds=("529.982.247-25", "52998224725"), read=_cpf, refuses=(InvalidCPF,)),
    Reader(
        name="shop's name",
        seeds=("lanchonete-da-ana", "cantina"),
        read=ShopId,
        refuses=(InvalidShopId,),
    ),
    Reader(
        name="instant",
        seeds=("2026-11-21T12:00:00Z", "2026-11-21T12:00:00.123456-03:00", "0001-01-01T00:00:00Z"),
        read=_instant,
        refuses=(ValueError, OverflowError),
    ),
    Reader(
        name="cursor",
        seeds=(cursor_of("2026-11-21T12:00:00.000000Z#0196"), "", "AAAA", cursor_of("a#b")),
        read=_cursor,
        refuses=(Problem,),
    ),
    Reader(
        name="audit's cursor",
        seeds=(cursor_of(f"{SHOP}#order#1"), "AAAA"),
        read=lambda text: audit_position_of(text, shop=SHOP),
        refuses=(Problem,),
    ),
    Reader(
        name="menu sheet",
        seeds=(
            "Nome;Categoria;Preço\r\nPão;Acompanhamento;R$ 7,50\r\n",
            "name;category;price;description\nX;MEAL;24.90;=cmd|' /C calc'!A0\n",
            "name,category,price\n@SUM(A1),DRINK,5.00\n",
        ),
        read=_sheet,
    ),
    Reader(
        name="webhook's URL",
        seeds=(
            "https://shop.example/hook",
            "https://8.8.8.8:8443/x",
            "https://[2606:4700::1111]/",
            "https://[::ffff:169.254.169.254]/",
            "https://user@2130706433/",
        ),
        read=_url,
        refuses=(UnsafeAddress,),
    ),
    Reader(
        name="order's body",
        seeds=(
            json.dumps({"lines": [_LINES], "service": "COUNTER", "name": "Ana"}),
            json.dumps({"lines": [{"product_id": "x", "quantity": 1}]}),
        ),
        read=_order,
        refuses=(ValidationError, ValueError, RecursionError),
    ),
    Reader(
        name="Accept-Language",
        seeds=("pt-BR,pt;q=0.9,en;q=0.8", "en", "*;q=0.1"),
        read=language_of,
    ),
    Reader(name="Prefer", seeds=("wait=10", "respond-async, wait=5"), read=wait_of),
    _cookies(),
)
