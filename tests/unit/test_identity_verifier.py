"""The verifier against the tokens that an attacker would send, and the ones that it must take."""

import hmac
import json
from collections.abc import Callable
from hashlib import sha256

import pytest

from comanda.identity.verifier import Identity, InvalidToken, Kind, TokenVerifier
from comanda.ids import ShopId
from tests.identity_builders import (
    CUSTOMER_ID,
    CUSTOMERS,
    GUEST_ID,
    NOW,
    OURS,
    SHOP,
    STAFF,
    THEIRS,
    Clock,
    Issuers,
    b64,
    customer,
    guest,
    pem,
    signed,
    staff,
    verifier_of,
)


@pytest.fixture
def verifier() -> TokenVerifier:
    return verifier_of(Issuers(), Clock())


def test_a_customer_is_known_by_our_id_and_never_has_groups(verifier: TokenVerifier) -> None:
    identity = verifier.verify(signed(customer(**{"cognito:groups": ["owner"]})))

    assert identity == Identity(
        subject=CUSTOMER_ID, shop_id=ShopId(SHOP), kind=Kind.CUSTOMER, groups=frozenset()
    )


def test_staff_have_the_groups_of_their_token(verifier: TokenVerifier) -> None:
    identity = verifier.verify(signed(staff(**{"cognito:groups": ["kitchen", "owner"]})))

    assert (identity.kind, identity.groups) == (Kind.STAFF, {"kitchen", "owner"})


def test_staff_without_groups_are_staff_without_groups(verifier: TokenVerifier) -> None:
    identity = verifier.verify(signed(staff(**{"cognito:groups": None})))

    assert identity.groups == frozenset()


def test_a_guest_is_known_by_the_visit(verifier: TokenVerifier) -> None:
    identity = verifier.verify(signed(guest()))

    assert (identity.kind, identity.subject) == (Kind.GUEST, GUEST_ID)


def unsigned() -> str:
    head = b64(json.dumps({"alg": "none", "kid": "k1"}).encode())
    return f"{head}.{b64(json.dumps(customer()).encode())}."


def signed_with_the_public_key() -> str:
    head = b64(json.dumps({"alg": "HS256", "kid": "k1"}).encode())
    text = f"{head}.{b64(json.dumps(customer()).encode())}"
    return f"{text}.{b64(hmac.new(pem(OURS), text.encode(), sha256).digest())}"


def with_another_payload() -> str:
    head, _, signature = signed(customer()).split(".")
    return f"{head}.{b64(json.dumps(customer(shop='cantina-do-beto')).encode())}.{signature}"


def bomb(depth: int) -> str:
    return f"{b64(b'[' * depth)}.{b64(b'{}')}.x"


HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "empty": (lambda: "", "malformed"),
    "two parts": (lambda: "a.b", "malformed"),
    "five parts, as encrypted tokens have": (lambda: "a.b.c.d.e", "malformed"),
    "not ASCII": (lambda: "é.b.c", "oversized"),
    "header is no object": (lambda: f"{b64(b'[]')}.{b64(b'{}')}.x", "malformed"),
    "claims are no object": (lambda: f"{b64(b'{}')}.{b64(b'7')}.x", "malformed"),
    "nested header bomb": (lambda: bomb(100_000), "oversized"),
    "small nested header bomb": (lambda: bomb(380), "malformed"),
    "nested claims bomb": (lambda: f"{b64(b'{}')}.{b64(b'[' * 2900)}.x", "malformed"),
    "oversized": (lambda: signed(customer(padding="x" * 4000)), "oversized"),
    "unsigned": (unsigned, "algorithm"),
    "HS256 with the public key": (signed_with_the_public_key, "algorithm"),
    "RS512": (lambda: signed(customer(), header={"alg": "RS512", "kid": "k1"}), "algorithm"),
    "lower-case algorithm": (
        lambda: signed(customer(), header={"alg": "rs256", "kid": "k1"}),
        "algorithm",
    ),
    "no algorithm": (lambda: signed(customer(), header={"kid": "k1"}), "algorithm"),
    "unknown critical header": (
        lambda: signed(customer(), header={"alg": "RS256", "kid": "k1", "crit": ["x"], "x": 1}),
        "critical header",
    ),
    "no key id": (lambda: signed(customer(), header={"alg": "RS256"}), "no key id"),
    "key id is a list": (
        lambda: signed(customer(), header={"alg": "RS256", "kid": ["k1"]}),
        "no key id",
    ),
    "unknown key": (
        lambda: signed(customer(), header={"alg": "RS256", "kid": "k9"}),
        "unknown key",
    ),
    "a key inside the header": (
        lambda: signed(
            customer(),
            key=THEIRS,
            header={"alg": "RS256", "kid": "k1", "jwk": {"kty": "RSA"}},
        ),
        "signature",
    ),
    "signed by somebody else": (lambda: signed(customer(), key=THEIRS), "signature"),
    "another payload": (with_another_payload, "signature"),
    "no signature": (lambda: signed(customer()).rpartition(".")[0] + ".", "signature"),
    "expired": (lambda: signed(customer(exp=int(NOW.timestamp()) - 31)), "expired"),
    "no expiry": (lambda: signed(customer(exp=None)), "no exp"),
    "expiry is text": (lambda: signed(customer(exp="9999999999")), "no exp"),
    "expiry is true": (lambda: signed(customer(exp=True)), "no exp"),
    "expiry is not a number": (lambda: signed(customer(exp=float("nan"))), "expired"),
    "no time of issue": (lambda: signed(customer(iat=None)), "no iat"),
    "issued tomorrow": (
        lambda: signed(customer(iat=int(NOW.timestamp()) + 86_400)),
        "issued in the future",
    ),
    "not yet valid": (lambda: signed(customer(nbf=int(NOW.timestamp()) + 60)), "not yet valid"),
    "no issuer": (lambda: signed(customer(iss=None)), "issuer"),
    "wrong issuer": (lambda: signed(customer(iss=f"{CUSTOMERS}/")), "issuer"),
    "issuer is a list": (lambda: signed(customer(iss=[CUSTOMERS])), "issuer"),
    "id token": (
        lambda: signed(customer(token_use="id", aud="web", client_id=None)),
        "not an access token",
    ),
    "no use": (lambda: signed(customer(token_use=None)), "not an access token"),
    "wrong client": (lambda: signed(customer(client_id="other")), "client"),
    "client only in the audience": (lambda: signed(customer(client_id=None, aud="web")), "client"),
    "a customer's token for the staff pool": (lambda: signed(customer(iss=STAFF)), "client"),
    "no subject": (lambda: signed(customer(sub=None)), "no sub"),
    "no shop": (lambda: signed(customer(shop=None)), "no shop"),
    "shop is no shop id": (lambda: signed(customer(shop="../x")), "shop"),
    "shop is a list": (lambda: signed(customer(shop=[SHOP])), "no shop"),
    "customer is no id of ours": (lambda: signed(customer(username="maria")), "username"),
    "guest is no visit": (lambda: signed(guest(sub=CUSTOMER_ID)), "sub"),
    "guest is no id": (lambda: signed(guest(sub="guest:1")), "sub"),
    "groups are text": (lambda: signed(staff(**{"cognito:groups": "owner"})), "groups"),
    "groups hold numbers": (lambda: signed(staff(**{"cognito:groups": [1]})), "groups"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_token_is_refused_by_name(verifier: TokenVerifier, name: str) -> None:
    make, reason = HOSTILE[name]

    with pytest.raises(InvalidToken) as refusal:
        verifier.verify(make())

    assert refusal.value.reason == reason
