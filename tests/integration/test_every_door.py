"""Every route of every OpenAPI document, tried with every token that must not open it.

Routes are found in the documents, so one that is added tomorrow is tried tomorrow. What is open to
everybody is written down here, and nowhere else.
"""

import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

import pytest

from comanda.identity.verifier import Kind
from tests import identity_builders as tokens
from tests import orders_http
from tests.identity_builders import CUSTOMER_ID, OURS, THEIRS, b64, pem, signed
from tests.identity_doors import Door, Services, documents, doors, lambda_environment
from tests.orders_builders import changed, deliver
from workers.orders.memory import InMemoryOrders

PUBLIC = {
    "GET /apis/auth/jwks.json",
    "POST /apis/auth/{shop}/challenges",
    "POST /apis/auth/{shop}/customers",
    "POST /apis/auth/{shop}/guests",
    "POST /apis/auth/{shop}/staff/password-codes",
    "POST /apis/auth/{shop}/staff/passwords",
    "POST /apis/auth/{shop}/staff/tokens",
    "POST /apis/auth/{shop}/tokens",
    "POST /apis/auth/{shop}/tokens/refresh",
    "POST /apis/auth/{shop}/tokens/revoke",
    "GET /apis/catalog/{shop}/menu",
    "GET /apis/catalog/{shop}/pictures/{digest}",
    "GET /apis/catalog/{shop}/shop",
    # Signed by Mercado Pago, and its test button; no other method is in the document.
    "GET /webhooks/mercadopago/{shop}",
    "POST /webhooks/mercadopago/{shop}",
}
# Everybody may end their own sessions, and has a password of their own.
ANY_STAFF = {
    "DELETE /apis/auth/{shop}/staff/me/sessions",
    "POST /apis/auth/{shop}/staff/me/totp-removals",
    "PUT /apis/auth/{shop}/staff/me/password",
}
DOORS = doors()
GUARDED = [door for door in DOORS if door.name not in PUBLIC]
Claims = dict[str, Any]
MAKERS: Mapping[str, Callable[..., Claims]] = {
    "guest": tokens.guest,
    "customer": tokens.customer,
    "staff": tokens.staff,
}
GROUPS = ("kitchen", "manager", "owner")


def now() -> datetime:
    return datetime.now(UTC)


def fresh(make: Callable[..., Claims], **changes: Any) -> Claims:
    at = int(now().timestamp())
    return make(**{"iat": at - 60, "exp": at + 840, **changes})


def bearer(token: str) -> dict[str, str]:
    # Everything else that a route may ask for is there, so that the token alone is refused.
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": "k", "If-Match": '"1"'}


def header_of(alg: str, **more: Any) -> str:
    return b64(json.dumps({"alg": alg, "kid": "k1", **more}).encode())


def unsigned(claims: Claims) -> str:
    return f"{header_of('none')}.{b64(json.dumps(claims).encode())}."


def by_public_key(claims: Claims) -> str:
    text = f"{header_of('HS256')}.{b64(json.dumps(claims).encode())}"
    return f"{text}.{b64(hmac.new(pem(OURS), text.encode(), sha256).digest())}"


def expired(claims: Claims) -> str:
    at = int(now().timestamp())
    return signed({**claims, "iat": at - 2000, "exp": at - 1000})


FORGED: Mapping[str, Callable[[Claims], str]] = {
    "garbage": lambda _: "garbage",
    "empty": lambda _: "",
    "expired": expired,
    "of another pool": lambda claims: signed({**claims, "iss": "https://other.test"}),
    "of the pool next door": lambda claims: signed(
        {**claims, "iss": tokens.STAFF if claims["iss"] == tokens.CUSTOMERS else tokens.CUSTOMERS}
    ),
    "of another client": lambda claims: signed({**claims, "client_id": "other"}),
    "of no client": lambda claims: signed({**claims, "client_id": None}),
    "unsigned": unsigned,
    "HS256 with the public key": by_public_key,
    "signed by somebody else": lambda claims: signed(claims, key=THEIRS),
    "of an unknown key": lambda claims: signed(claims, header={"alg": "RS256", "kid": "k9"}),
    "of no key": lambda claims: signed(claims, header={"alg": "RS256"}),
    "with an unknown critical header": lambda claims: signed(
        claims, header={"alg": "RS256", "kid": "k1", "crit": ["exp"]}
    ),
    "an ID token": lambda claims: signed({**claims, "token_use": "id", "aud": "web"}),
    "a refresh token": lambda claims: signed({**claims, "token_use": "refresh"}),
    "without an end": lambda claims: signed({k: v for k, v in claims.items() if k != "exp"}),
    "not yet good": lambda claims: signed({**claims, "nbf": claims["exp"]}),
    "of no shop": lambda claims: signed({k: v for k, v in claims.items() if k != "shop"}),
    "a megabyte": lambda claims: signed({**claims, "x": "x" * 1_000_000}),
    "a nested header": lambda claims: f"{b64(b'[' * 300)}.{b64(json.dumps(claims).encode())}.x",
}


@cache
def forged(kind: str, name: str) -> str:
    groups = {"cognito:groups": list(GROUPS)} if kind == "staff" else {}
    return FORGED[name](fresh(MAKERS[kind], **groups))


@cache
def good(kind: str, groups: tuple[str, ...] = ()) -> str:
    """A token that is as it should be; groups are worth nothing but to staff."""
    return signed(fresh(MAKERS[kind], **{"cognito:groups": list(groups)}))


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with lambda_environment():
        yield Services(now)


def test_the_list_of_public_doors_has_no_door_too_many() -> None:
    assert {door.name for door in DOORS} >= PUBLIC


def test_every_service_with_a_document_is_walked() -> None:
    assert {"auth_lambda", "webhooks_lambda", "catalog", "orders", "payments"} <= set(documents())
    assert len(GUARDED) > 40


@pytest.mark.parametrize("door", GUARDED, ids=lambda door: door.name)
async def test_without_a_token_nobody_gets_in(services: Services, door: Door) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}):
        status, answered, body = await services.ask(door, door.at(), headers=headers)

        assert status == 401
        assert answered["content-type"] == "application/problem+json"
        assert json.loads(body)["status"] == 401
        assert answered["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("door", GUARDED, ids=lambda door: door.name)
async def test_no_forged_token_gets_anybody_in(services: Services, door: Door) -> None:
    for kind in MAKERS:
        for name in FORGED:
            token = forged(kind, name)
            status, _, body = await services.ask(door, door.at(), headers=bearer(token))

            assert status == 401, f"{name}, as {kind}"
            assert not token or token[:200].encode() not in body


@pytest.mark.parametrize("door", GUARDED, ids=lambda door: door.name)
async def test_a_token_of_one_shop_learns_nothing_of_another(
    services: Services, door: Door
) -> None:
    for kind in MAKERS:
        headers = bearer(good(kind, GROUPS))
        status, _, _ = await services.ask(door, door.at(shop="cantina-do-beto"), headers=headers)

        assert status == 404, kind


@pytest.mark.parametrize("door", GUARDED, ids=lambda door: door.name)
async def test_who_gets_in_has_the_group_or_is_not_asked_for_one(
    services: Services, door: Door
) -> None:
    async def opens(kind: str, *groups: str) -> bool:
        headers = bearer(good(kind, groups))
        status, answered, _ = await services.ask(door, door.at(), headers=headers)
        assert "www-authenticate" not in answered, "a good token was refused"
        # A 401 without that header is about what was typed, behind the door.
        return status not in (403, 404)

    staff = {group for group in GROUPS if await opens("staff", group)}
    # A customer's or a guest's own claim of groups is worth nothing.
    others = {kind for kind in ("guest", "customer") if await opens(kind, *GROUPS)}
    nobody = await opens("staff")
    stranger = await opens("staff", "owners", "OWNER", "admin")

    assert staff or others, "this door opens to nobody"
    assert nobody == stranger
    if not others and door.name not in ANY_STAFF:
        assert not nobody, "staff without a group got in where a group is asked for"


@pytest.mark.parametrize(
    "door",
    [door for door in GUARDED if door.service == "orders" and "{order_id}" in door.path],
    ids=lambda door: door.name,
)
async def test_another_customers_order_does_not_exist(door: Door) -> None:
    clock = orders_http.Clock()
    orders = InMemoryOrders(clock=clock)
    await deliver(changed(), orders=orders)
    async with orders_http.opened(orders, clock=clock) as client:
        placed = await client.place(headers=orders_http.customer())
        assert placed.status == 201, placed.content
        thief = bearer(orders_http.token(Kind.CUSTOMER, CUSTOMER_ID))
        answer = await client.ask(
            door.method,
            door.at(order_id=placed.body["id"]),
            headers={**thief, "Content-Type": "application/json"},
            data="{}",
        )

    assert answer.status in (403, 404)
    assert placed.body["total"].encode() not in answer.content
