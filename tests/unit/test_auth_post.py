"""Codes leave by letters: to whom, how many, and what becomes of one that could not be sent."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from auth_lambda.chalicelib.addressees import Addressees, WhoForgot, WhoMoves, WhoSignsIn
from auth_lambda.chalicelib.applications import Applicant, Applications
from auth_lambda.chalicelib.aws import Unavailable
from auth_lambda.chalicelib.codes import Codes
from auth_lambda.chalicelib.courier import Courier, Letter, read_letter
from auth_lambda.chalicelib.post import PostRoom
from auth_lambda.chalicelib.pseudonyms import Email, Pseudonyms
from auth_lambda.chalicelib.purposes import Purpose
from auth_lambda.chalicelib.registry import CustomerRegistry, Registration
from auth_lambda.chalicelib.sessions import Sessions, reference_of
from auth_lambda.chalicelib.staff_pool import Member
from auth_lambda.chalicelib.table import Table
from auth_lambda.chalicelib.throttle import Throttle
from auth_lambda.chalicelib.wishes import EmailWish, Wishes
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


class FakeStaff:
    def find(self, shop_id: ShopId, username: str) -> Member | None:
        if username not in ("cook", "gone", "silent"):
            return None
        return Member(
            username=username,
            email="" if username == "silent" else f"{username}@exemplo.com.br",
            groups=("kitchen",),
            is_enabled=username != "gone",
        )


class FakeMailer:
    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.purposes: list[Purpose] = []
        self.is_down = False

    def send_code(self, email: str, code: str, *, purpose: Purpose) -> None:
        if self.is_down:
            raise Unavailable("SES")
        self.sent.append((email, code))
        self.purposes.append(purpose)


class Room:
    """A post room on a table in memory, with one customer."""

    def __init__(self, table: Table) -> None:
        self.clock, self.mailer = Clock(), FakeMailer()
        self.registry = CustomerRegistry(table)
        self.sessions = Sessions(table, clock=self.clock)
        self.codes = Codes(table, pseudonyms=NAMES, clock=self.clock)
        self.applications = Applications(b"k" * 32)
        self.table = table
        self.wishes = Wishes(b"w" * 32)
        self.room = self.room_of(
            WhoSignsIn(
                registry=self.registry,
                applications=self.applications,
                pool=FakePool(),
                clock=self.clock,
            ),
            self.sessions,
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

    def room_of(self, addressees: Addressees, sessions: Sessions) -> PostRoom:
        return PostRoom(
            addressees=addressees,
            sessions=sessions,
            codes=self.codes,
            throttle=Throttle(self.table, clock=self.clock),
            mailer=self.mailer,
        )

    def wish(self, token: str, email: str) -> Sessions:
        """Open a session that waits for the proof of an address, and have its code sent."""
        sessions = Sessions(self.table, clock=self.clock, purpose=Purpose.EMAIL)
        wish = EmailWish(customer_id=CustomerId("c1"), email=Email(email))
        reference = reference_of(token)
        sealed = self.wishes.seal_email(wish, session=reference)
        sessions.open(ANA, token, application=sealed)
        letter = Letter(
            shop_id=ANA,
            session=reference,
            name=NAMES.of(wish.email),
            place="here",
            purpose=Purpose.EMAIL,
        )
        self.room_of(WhoMoves(wishes=self.wishes), sessions).deliver(letter)
        return sessions

    def forget(self, token: str, username: str) -> Sessions:
        """Open a session of who forgot their password, and have its code sent."""
        sessions = Sessions(self.table, clock=self.clock, purpose=Purpose.PASSWORD)
        reference = reference_of(token)
        sealed = self.wishes.seal_username(username, session=reference)
        sessions.open(ANA, token, application=sealed)
        letter = Letter(
            shop_id=ANA,
            session=reference,
            name=NAMES.of_staff(username),
            place="here",
            purpose=Purpose.PASSWORD,
        )
        self.room_of(WhoForgot(wishes=self.wishes, pool=FakeStaff()), sessions).deliver(letter)
        return sessions

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
    assert post.codes.is_right(played.holder, code, session=played.reference)


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
    assert post.codes.is_right(played.holder, code, session=played.reference)


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
    assert post.codes.is_right(played.holder, post.mailer.sent[-1][1], session="mine")


def test_a_place_is_forgotten_after_ninety_days(post: Room) -> None:
    customer = CustomerId("c1")
    post.registry.remember_place(customer, "home", now=post.clock.now)
    before = post.registry.is_familiar(customer, "home", now=post.clock.now)
    post.clock.advance(days=90)

    assert before
    assert not post.registry.is_familiar(customer, "home", now=post.clock.now)


def test_a_code_proves_the_address_that_it_went_to_and_no_other(post: Room) -> None:
    own = post.wish("t1", "mine@exemplo.com.br")
    ((_, code),) = post.mailer.sent

    post.wish("t2", "victim@exemplo.com.br")

    theirs = own.attempt(ANA, "t2")
    assert not post.codes.is_right(theirs.holder, code, session="t2")
    assert post.codes.is_right(own.attempt(ANA, "t1").holder, code, session="t1")
    assert [email for email, _ in post.mailer.sent] == [
        "mine@exemplo.com.br",
        "victim@exemplo.com.br",
    ]


def test_a_session_of_one_purpose_is_none_of_another(post: Room) -> None:
    moving = post.wish("t1", "mine@exemplo.com.br")
    forgetting = post.forget("t2", "cook")

    assert post.sessions.attempt(ANA, "t1") is None
    assert post.sessions.attempt(ANA, "t2") is None
    assert moving.attempt(ANA, "t2") is None
    assert forgetting.attempt(ANA, "t1") is None
    assert post.mailer.purposes == [Purpose.EMAIL, Purpose.PASSWORD]


@pytest.mark.parametrize("username", ["stranger", "gone", "silent"])
def test_nobody_gets_a_code_for_a_password_that_nobody_may_set(post: Room, username: str) -> None:
    sessions = post.forget("t1", username)

    assert post.mailer.sent == []
    assert sessions.attempt(ANA, "t1").holder is None


def test_a_letter_of_before_there_were_purposes_is_for_a_sign_in() -> None:
    told = {"shop_id": ANA, "session": "s", "name": NAME, "place": "here"}

    assert read_letter(told).purpose is Purpose.SIGN_IN


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
