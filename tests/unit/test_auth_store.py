"""Codes, sessions, throttles and registrations, on DynamoDB as moto plays it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import boto3
import pytest
from moto import mock_aws

from auth_lambda.chalicelib.codes import Codes, new_code
from auth_lambda.chalicelib.cognito import Person
from auth_lambda.chalicelib.pseudonyms import Email, Pseudonyms
from auth_lambda.chalicelib.registry import CustomerRegistry
from auth_lambda.chalicelib.sessions import Sessions
from auth_lambda.chalicelib.sign_up import Applicant, SignUp
from auth_lambda.chalicelib.table import Table
from auth_lambda.chalicelib.throttle import Limit, Throttle, Throttled
from comanda.cpf import CPF
from comanda.envelope import Envelope
from comanda.ids import ShopId
from comanda.messaging.ports import MessagingUnavailable

ANA = ShopId("lanchonete-da-ana")
BETO = ShopId("cantina-do-beto")
NAMES = Pseudonyms(b"k" * 32)
MARIA = Applicant(
    cpf=CPF("123.456.789-09"),
    name="Maria",
    email=Email("maria@exemplo.com.br"),
    consent_version="2026-11",
)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="sa-east-1")
        client.create_table(
            TableName="customers",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Table(client, "customers")


@pytest.fixture
def codes(table: Table, clock: Clock) -> Codes:
    drawn = (f"{number:06d}" for number in count(1))
    return Codes(table, pseudonyms=NAMES, clock=clock, draw=lambda: next(drawn))


def test_a_code_has_six_digits() -> None:
    assert all(len(code) == 6 and code.isdigit() for code in (new_code() for _ in range(200)))


def test_a_code_is_right_once(codes: Codes) -> None:
    code = codes.issue("c1")

    assert [codes.is_right("c1", code) for _ in range(2)] == [True, False]


def test_three_wrong_answers_use_a_code_up(codes: Codes) -> None:
    code = codes.issue("c1")

    answers = [codes.is_right("c1", given) for given in ("999999", "999998", "999997", code)]

    assert answers == [False] * 4


def test_a_code_ends_after_five_minutes(codes: Codes, clock: Clock) -> None:
    code = codes.issue("c1")
    clock.advance(minutes=5)

    assert not codes.is_right("c1", code)


def test_a_code_is_no_use_to_another_customer(codes: Codes) -> None:
    code = codes.issue("c1")
    codes.issue("c2")

    assert not codes.is_right("c2", code)


def test_one_code_goes_out_in_a_minute_and_replaces_the_last(codes: Codes, clock: Clock) -> None:
    first = codes.issue("c1")
    within = codes.issue("c1")
    clock.advance(minutes=1)
    second = codes.issue("c1")

    assert within is None
    assert not codes.is_right("c1", first)
    assert codes.is_right("c1", second)


def test_a_withdrawn_code_makes_room_for_the_next(codes: Codes) -> None:
    code = codes.issue("c1")

    assert codes.withdraw("c1", code)
    assert codes.issue("c1") is not None


def test_a_session_is_good_for_three_attempts_in_its_shop(table: Table, clock: Clock) -> None:
    sessions = Sessions(table, clock=clock)
    token = sessions.open(ANA, customer_id="c1", cognito_session="s1")

    elsewhere = sessions.attempt(BETO, token)
    rounds = [sessions.attempt(ANA, token) for _ in range(4)]

    assert elsewhere is None
    assert [played.attempts for played in rounds[:3]] == [1, 2, 3]
    assert rounds[3] is None


def test_a_session_goes_on_with_cognitos_next_one(table: Table, clock: Clock) -> None:
    sessions = Sessions(table, clock=clock)
    token = sessions.open(ANA, customer_id="c1", cognito_session="s1")

    sessions.advance(sessions.attempt(ANA, token), cognito_session="s2")

    assert sessions.attempt(ANA, token).cognito_session == "s2"


def test_a_session_ends_after_five_minutes(table: Table, clock: Clock) -> None:
    sessions = Sessions(table, clock=clock)
    token = sessions.open(ANA, customer_id=None, cognito_session=None)
    clock.advance(minutes=5)

    assert sessions.attempt(ANA, token) is None


def test_a_full_window_says_when_the_next_begins(table: Table, clock: Clock) -> None:
    throttle = Throttle(table, clock=clock)
    limit = Limit(purpose="TEST", count=2, window=timedelta(minutes=10))
    clock.advance(minutes=3)
    for _ in range(2):
        throttle.admit(limit, shop_id=ANA, name="n")

    with pytest.raises(Throttled) as refusal:
        throttle.admit(limit, shop_id=ANA, name="n")

    assert refusal.value.retry_after == timedelta(minutes=7)
    throttle.admit(limit, shop_id=BETO, name="n")
    clock.advance(minutes=7)
    throttle.admit(limit, shop_id=ANA, name="n")


class FakePool:
    """A user pool that may be down."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}

    def create(self, person: Person) -> None:
        self.people[person.customer_id] = person


class FakePublisher:
    """A topic that refuses the first so many envelopes."""

    def __init__(self, *, refusals: int = 0) -> None:
        self.published: list[Envelope] = []
        self.refusals = refusals

    def publish(self, envelope: Envelope) -> None:
        if self.refusals:
            self.refusals -= 1
            raise MessagingUnavailable("down")
        self.published.append(envelope)


def sign_up_on(table: Table, clock: Clock, publisher: FakePublisher) -> SignUp:
    numbers = count(1)
    return SignUp(
        registry=CustomerRegistry(table),
        pool=FakePool(),
        publisher=publisher,
        pseudonyms=NAMES,
        clock=clock,
        new=lambda: UUID(int=next(numbers), version=4),
    )


def test_a_sign_up_that_could_not_be_announced_is_announced_by_its_repeat(
    table: Table, clock: Clock
) -> None:
    publisher = FakePublisher(refusals=1)
    sign_up = sign_up_on(table, clock, publisher)
    with pytest.raises(MessagingUnavailable):
        sign_up.register(ANA, MARIA)
    clock.advance(minutes=1)

    for _ in range(3):
        sign_up.register(ANA, MARIA)

    (envelope,) = publisher.published
    assert list(sign_up.pool.people) == [envelope.event.customer_id]
    assert envelope.time == clock.now - timedelta(minutes=1)


def test_one_person_is_two_customers_in_two_shops(table: Table, clock: Clock) -> None:
    publisher = FakePublisher()
    sign_up = sign_up_on(table, clock, publisher)

    for shop in (ANA, BETO):
        sign_up.register(shop, MARIA)

    assert len({envelope.event.customer_id for envelope in publisher.published}) == 2


@pytest.mark.parametrize(
    ("cpf", "email"),
    [("123.456.789-09", "other@exemplo.com.br"), ("529.982.247-25", "maria@exemplo.com.br")],
)
def test_half_of_somebody_elses_identity_registers_nobody(
    table: Table, clock: Clock, cpf: str, email: str
) -> None:
    publisher = FakePublisher()
    sign_up = sign_up_on(table, clock, publisher)
    sign_up.register(ANA, MARIA)

    half = Applicant(cpf=CPF(cpf), name="X", email=Email(email), consent_version="1")
    sign_up.register(ANA, half)

    assert len(publisher.published) == 1


def test_the_table_holds_no_person_in_clear(table: Table, clock: Clock) -> None:
    sign_up_on(table, clock, FakePublisher()).register(ANA, MARIA)

    stored = str(boto3.client("dynamodb", region_name="sa-east-1").scan(TableName="customers"))

    assert all(word not in stored for word in ("12345678909", "maria@", "Maria"))
