"""Codes leave by letters: to whom, how many, and what becomes of one that could not be sent."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from auth_lambda.chalicelib.applications import Applicant, Applications
from auth_lambda.chalicelib.aws import Unavailable
from auth_lambda.chalicelib.codes import Codes
from auth_lambda.chalicelib.courier import Courier, Letter, read_letter
from auth_lambda.chalicelib.post import PostRoom
from auth_lambda.chalicelib.pseudonyms import Email, Pseudonyms
from auth_lambda.chalicelib.registry import CustomerRegistry, Registration
from auth_lambda.chalicelib.sessions import Sessions, reference_of
from auth_lambda.chalicelib.table import Table
from auth_lambda.chalicelib.throttle import Throttle
from comanda.cpf import CPF
from comanda.ids import CustomerId, EventId, ShopId
from tests.identity_builders import Clock

ANA = ShopId("lanchonete-da-ana")
NAMES = Pseudonyms(b"k" * 32)
MARIA = "maria@exemplo.com.br"
NAME = NAMES.of(Email(MARIA))


class FakePool:
    def email_of(self, customer_id: str) -> str | None:
        return {"c1": MARIA}.get(customer_id)


class FakeMailer:
    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.is_down = False

    def send_code(self, email: str, code: str) -> None:
        if self.is_down:
            raise Unavailable("SES")
        self.sent.append((email, code))


class Room:
    """A post room on a table in memory, with one customer."""

    def __init__(self, table: Table) -> None:
        self.clock, self.mailer = Clock(), FakeMailer()
        self.registry = CustomerRegistry(table)
        self.sessions = Sessions(table, clock=self.clock)
        self.codes = Codes(table, pseudonyms=NAMES, clock=self.clock)
        self.applications = Applications(b"k" * 32)
        self.room = PostRoom(
            registry=self.registry,
            applications=self.applications,
            pool=FakePool(),
            sessions=self.sessions,
            codes=self.codes,
            throttle=Throttle(table, clock=self.clock),
            mailer=self.mailer,
            clock=self.clock,
        )
        self.registry.claim(
            Registration(
                customer_id=CustomerId("c1"),
                shop_id=ANA,
                event_id=EventId("e1"),
                registered_at=self.clock.now,
                consent_version="1",
                consented_at=self.clock.now,
                email_name=NAME,
                cpf_name=None,
            )
        )

    def ask(self, token: str, *, name: str = NAME, place: str = "here") -> None:
        self.sessions.open(ANA, token)
        self.deliver(token, name=name, place=place)

    def deliver(self, token: str, *, name: str = NAME, place: str = "here") -> None:
        letter = Letter(shop_id=ANA, session=reference_of(token), name=name, place=place)
        self.room.deliver(letter)


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="sa-east-1")
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        client.create_table(
            TableName="customers",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Room(Table(client, "customers"))


def test_a_customer_gets_a_code_that_their_session_takes(post: Room) -> None:
    post.ask("t1")

    ((email, code),) = post.mailer.sent
    played = post.sessions.attempt(ANA, "t1")
    assert email == MARIA
    assert played.customer_id == "c1"
    assert post.codes.is_right(played.holder, code)


def test_nobody_gets_a_letter_for_a_name_that_nobody_has(post: Room) -> None:
    post.ask("t1", name=NAMES.of(CPF("123.456.789-09")))

    assert post.mailer.sent == []
    assert post.sessions.attempt(ANA, "t1").holder is None


def test_an_applicant_gets_a_code_before_there_is_a_customer(post: Room) -> None:
    joao = Applicant(
        cpf=CPF("123.456.789-09"),
        name="João",
        email=Email("joao@exemplo.com.br"),
        consent_version="1",
        consented_at=datetime(2026, 11, 21, tzinfo=UTC),
    )
    sealed = post.applications.seal(joao, session=reference_of("t1"))
    post.sessions.open(ANA, "t1", application=sealed)

    post.deliver("t1", name=NAMES.of(joao.email))

    ((email, code),) = post.mailer.sent
    played = post.sessions.attempt(ANA, "t1")
    assert email == "joao@exemplo.com.br"
    assert played.customer_id is None
    assert post.codes.is_right(played.holder, code)


def test_a_code_that_could_not_be_mailed_is_withdrawn_for_the_next_try(post: Room) -> None:
    post.mailer.is_down = True
    with pytest.raises(Unavailable):
        post.ask("t1")
    post.mailer.is_down = False

    post.deliver("t1")

    assert len(post.mailer.sent) == 1


def test_a_letter_delivered_twice_is_one_mail(post: Room) -> None:
    post.ask("t1")
    post.deliver("t1")

    assert len(post.mailer.sent) == 1


def test_strangers_cannot_spend_what_a_customer_has_where_they_are_known(post: Room) -> None:
    post.registry.remember_place(CustomerId("c1"), "home", now=post.clock.now)
    for number in range(30):
        post.ask(f"attack-{number}", place=f"bot-{number}")
    by_bots = len(post.mailer.sent)

    post.ask("mine", place="home")

    assert by_bots == 10
    assert len(post.mailer.sent) == 11
    played = post.sessions.attempt(ANA, "mine")
    assert post.codes.is_right(played.holder, post.mailer.sent[-1][1])


def test_a_place_is_forgotten_after_ninety_days(post: Room) -> None:
    customer = CustomerId("c1")
    post.registry.remember_place(customer, "home", now=post.clock.now)
    before = post.registry.is_familiar(customer, "home", now=post.clock.now)
    post.clock.advance(days=90)

    assert before
    assert not post.registry.is_familiar(customer, "home", now=post.clock.now)


def test_a_letter_holds_keyed_names_and_survives_its_journey() -> None:
    class Lambda:
        def invoke(self, **request: object) -> dict[str, object]:
            self.request = request
            return {}

    client = Lambda()
    letter = Letter(shop_id=ANA, session="s", name=NAME, place=NAMES.of_address("10.0.0.1"))

    Courier(client, function="deliver_code").take(letter)

    payload = client.request["Payload"]
    assert client.request["InvocationType"] == "Event"
    assert b"maria" not in payload
    assert b"10.0.0.1" not in payload

    assert read_letter(json.loads(payload)) == letter
