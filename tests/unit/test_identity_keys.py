"""Which key verifies a token, and how seldom an issuer is asked for it."""

from typing import Any

import pytest

from comanda.identity.verifier import InvalidToken, KeysUnavailable, TokenVerifier
from tests.identity_builders import (
    CUSTOMER_ID,
    CUSTOMERS,
    OURS,
    STAFF,
    THEIRS,
    Clock,
    Issuers,
    customer,
    public,
    signed,
    staff,
    verifier_of,
)


@pytest.fixture
def issuers() -> Issuers:
    return Issuers()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(issuers: Issuers, clock: Clock) -> TokenVerifier:
    return verifier_of(issuers, clock)


def test_a_key_is_chosen_by_its_id_and_no_other_key_is_tried(
    verifier: TokenVerifier, issuers: Issuers
) -> None:
    issuers.documents[f"{CUSTOMERS}/jwks"] = {"keys": [public(OURS, "k1"), public(THEIRS, "k2")]}
    head = {"alg": "RS256", "kid": "k2"}

    with pytest.raises(InvalidToken, match="signature"):
        verifier.verify(signed(customer(), key=OURS, header=head))

    assert verifier.verify(signed(customer(), key=THEIRS, header=head)).subject == CUSTOMER_ID


def test_one_pools_key_does_not_sign_for_another(verifier: TokenVerifier, issuers: Issuers) -> None:
    issuers.documents[f"{STAFF}/jwks"] = {"keys": [public(THEIRS, "k1")]}

    with pytest.raises(InvalidToken, match="signature"):
        verifier.verify(signed(staff()))


def test_keys_are_fetched_once_for_many_tokens(verifier: TokenVerifier, issuers: Issuers) -> None:
    for _ in range(5):
        verifier.verify(signed(customer()))

    assert issuers.fetches == 1


def test_a_flood_of_unknown_keys_asks_the_issuer_once_in_thirty_seconds(
    verifier: TokenVerifier, issuers: Issuers, clock: Clock
) -> None:
    verifier.verify(signed(customer()))
    clock.advance(seconds=31)

    for number in range(20):
        with pytest.raises(InvalidToken, match="unknown key"):
            verifier.verify(signed(customer(), header={"alg": "RS256", "kid": f"x{number}"}))

    assert issuers.fetches == 2


def test_a_new_key_is_found_without_a_restart(
    verifier: TokenVerifier, issuers: Issuers, clock: Clock
) -> None:
    verifier.verify(signed(customer()))
    issuers.documents[f"{CUSTOMERS}/jwks"] = {"keys": [public(THEIRS, "k2")]}
    clock.advance(seconds=31)

    identity = verifier.verify(signed(customer(), key=THEIRS, header={"alg": "RS256", "kid": "k2"}))

    assert identity.subject == CUSTOMER_ID


def test_a_stale_key_serves_while_the_issuer_is_down(
    verifier: TokenVerifier, issuers: Issuers, clock: Clock
) -> None:
    verifier.verify(signed(customer()))
    issuers.is_down = True
    clock.advance(hours=7)
    later = customer(iat=int(clock.now.timestamp()), exp=int(clock.now.timestamp()) + 60)

    assert verifier.verify(signed(later)).subject == CUSTOMER_ID
    assert issuers.fetches == 2


def test_a_withdrawn_key_stops_working_when_the_keys_are_refreshed(
    verifier: TokenVerifier, issuers: Issuers, clock: Clock
) -> None:
    verifier.verify(signed(customer()))
    issuers.documents[f"{CUSTOMERS}/jwks"] = {"keys": [public(THEIRS, "k2")]}
    clock.advance(hours=7)
    later = customer(iat=int(clock.now.timestamp()), exp=int(clock.now.timestamp()) + 60)

    with pytest.raises(InvalidToken, match="unknown key"):
        verifier.verify(signed(later))


def test_without_any_key_nothing_can_be_said_and_the_next_second_tries_again(
    verifier: TokenVerifier, issuers: Issuers, clock: Clock
) -> None:
    issuers.is_down = True
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            verifier.verify(signed(customer()))
    asked_while_down = issuers.fetches
    issuers.is_down = False
    clock.advance(seconds=1)

    identity = verifier.verify(signed(customer()))

    assert asked_while_down == 1
    assert identity.subject == CUSTOMER_ID


@pytest.mark.parametrize(
    "entry",
    [
        "text",
        {"kty": "oct", "kid": "k1", "k": "c2VjcmV0"},
        {**public(OURS, "k1"), "use": "enc"},
        {**public(OURS, "k1"), "alg": "RS512"},
        {**public(OURS, "k1"), "n": "AQAB"},
        {**public(OURS, "k1"), "n": "!" * 400},
    ],
)
def test_a_key_that_is_no_rsa_signing_key_is_left_out(
    verifier: TokenVerifier, issuers: Issuers, entry: Any
) -> None:
    issuers.documents[f"{CUSTOMERS}/jwks"] = {"keys": [entry]}

    with pytest.raises(InvalidToken):
        verifier.verify(signed(customer()))


def test_a_document_without_keys_holds_no_key(verifier: TokenVerifier, issuers: Issuers) -> None:
    issuers.documents[f"{CUSTOMERS}/jwks"] = {"keys": None}

    with pytest.raises(InvalidToken, match="unknown key"):
        verifier.verify(signed(customer()))
