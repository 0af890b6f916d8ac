"""Erasures and changes of e-mail that break at any step are finished, once asked or not."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from auth_lambda.chalicelib.audit import Audit
from auth_lambda.chalicelib.aws import Unavailable
from auth_lambda.chalicelib.finishing import Finisher
from auth_lambda.chalicelib.pseudonyms import Email
from auth_lambda.chalicelib.refusals import NoProfile
from auth_lambda.chalicelib.sessions import reference_of
from auth_lambda.chalicelib.table import Key
from auth_lambda.chalicelib.unfinished import Errand, Note
from auth_lambda.chalicelib.wishes import Move
from comanda.ids import EventId
from tests.auth_office import ANA, MARIA, NAMES, NEW, OLD, Office, office


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    keys = [("pk", "HASH"), ("sk", "RANGE")]
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="sa-east-1")
        dynamodb.create_table(
            TableName="customers",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        yield dynamodb


def test_an_erasure_that_breaks_at_any_step_is_finished_by_itself(client: Any) -> None:
    number = 1
    while True:
        desk = office(client)
        if not desk.breaking_at(number, desk.erase):
            break
        was_noted = "UNFINISHED" in desk.stored()

        desk.later()

        # Only what broke before anything was written leaves things as they were.
        assert was_noted or number == 1
        if was_noted:
            assert desk.world.emails == {}
            assert len(set(desk.world.erased)) == 1
            assert desk.registry.get(MARIA) is None
            assert "UNFINISHED" not in desk.stored()
            assert NAMES.of(Email(OLD)) not in desk.stored()
            (act,) = Audit(desk.sound, clock=desk.clock).acts(ANA)
            assert act["done_at"] is not None
        number += 1
    assert number > 9


def test_a_change_of_email_that_breaks_at_any_step_ends_in_one_address(client: Any) -> None:
    number = 1
    while True:
        desk = office(client)
        if not desk.breaking_at(number, desk.move):
            break

        was_noted = "UNFINISHED" in desk.stored()
        desk.later()
        if not was_noted:
            # It broke before it was begun, so the customer asks again.
            assert number <= 2
            desk.move()

        assert desk.world.emails == {MARIA: NEW}
        assert desk.registry.find(ANA, NAMES.of(Email(NEW))) == MARIA
        assert desk.registry.find(ANA, NAMES.of(Email(OLD))) is None
        assert {email for _, email in desk.world.told} == {NEW}
        assert set(desk.world.mailed) == {OLD}
        assert len({event for event, _ in desk.world.told}) == 1
        assert "UNFINISHED" not in desk.stored()
        number += 1
    assert number > 5


def test_an_erasure_is_announced_again_when_the_last_access_token_has_expired(client: Any) -> None:
    desk = office(client)
    desk.erase()
    counts = []

    for _ in range(4):
        desk.clock.advance(minutes=10)
        desk.finisher.finish_all()
        counts.append(len(desk.world.erased))

    assert counts == [1, 2, 2, 2]
    assert len(set(desk.world.erased)) == 1  # To who handled it, it is the same event.
    assert "UNFINISHED" not in desk.stored()


def test_an_address_that_was_taken_meanwhile_is_not_moved_to(client: Any) -> None:
    desk = office(client)
    desk.breaking_at(3, desk.move)  # Begun, and nothing done.
    taken = {"customer_id": "c2"}
    key = Key(pk=f"SHOP#{ANA}#{NAMES.of(Email(NEW))}", sk="CUSTOMER")
    desk.sound.put(key, taken)

    desk.later()

    assert desk.world.emails == {MARIA: OLD}
    assert desk.registry.find(ANA, NAMES.of(Email(OLD))) == MARIA
    assert desk.registry.find(ANA, NAMES.of(Email(NEW))) == "c2"
    assert (desk.world.told, desk.world.mailed) == ([], [])
    assert "UNFINISHED" not in desk.stored()


def test_the_next_change_waits_until_the_reader_of_the_last_address_was_told(client: Any) -> None:
    desk = office(client)
    desk.breaking_at(6, desk.move)  # The names are moved, and nobody was told.
    assert desk.world.mailed == []

    with pytest.raises(Unavailable):
        desk.move(to="third@exemplo.com.br")
    desk.later()
    desk.move(to="third@exemplo.com.br")

    assert desk.world.mailed == [OLD, NEW]


def test_an_erasure_ends_a_change_that_was_not_finished(client: Any) -> None:
    desk = office(client)
    desk.breaking_at(4, desk.move)
    assert "UNFINISHED" in desk.stored()

    desk.erasure.erase(ANA, MARIA)
    told = list(desk.world.told)
    desk.later()

    assert "UNFINISHED" not in desk.stored()
    assert desk.world.told == told


def test_one_that_cannot_be_finished_does_not_keep_others_waiting(client: Any) -> None:
    desk = office(client)
    desk.breaking_at(4, desk.move)
    finish = desk.finisher.errands[Errand.EMAIL]
    desk.breaking_at(3, desk.erase)
    calls: list[Errand] = []

    def down(note: Any) -> None:
        calls.append(note.errand)
        raise Unavailable("for good")

    desk.clock.advance(minutes=6)
    count = Finisher(
        unfinished=desk.unfinished,
        errands={Errand.EMAIL: down, Errand.ERASURE: desk.finisher.errands[Errand.ERASURE]},
    ).finish_all()

    assert (calls, count) == ([Errand.EMAIL], 1)
    with pytest.raises(NoProfile):
        finish_of_nobody(desk, finish)


def finish_of_nobody(desk: Office, finish: Any) -> None:
    move = Move(event_id=EventId("e2"), old=Email(OLD), new=Email(NEW))
    told = desk.wishes.seal_move(move, customer_id=MARIA)
    finish(Note(errand=Errand.EMAIL, shop_id=ANA, customer_id=MARIA, told=told))


def test_a_session_that_waits_for_a_proof_holds_no_address_in_clear(client: Any) -> None:
    desk = office(client)

    token = desk.changes.ask(ANA, MARIA, Email(NEW), address="10.0.0.1")

    stored = desk.stored()
    assert reference_of(token) in stored
    assert all(word not in stored for word in (NEW, OLD, token, "10.0.0.1"))
