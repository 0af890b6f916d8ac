"""Codes, sessions, throttles and registrations, on DynamoDB as moto plays it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import boto3
import pytest
from moto import mock_aws

from auth_lambda.chalicelib.applications import Applicant, Applications
from auth_lambda.chalicelib.aws import Unavailable
from auth_lambda.chalicelib.codes import Codes, Holder, new_code
from auth_lambda.chalicelib.cognito import Person
from auth_lambda.chalicelib.families import Families, Owner, OwnerKind
from auth_lambda.chalicelib.herald import TopicHerald
from auth_lambda.chalicelib.passes import Passes
from auth_lambda.chalicelib.pseudonyms import Email, Pseudonyms
from auth_lambda.chalicelib.refusals import SignInRefused, Throttled
from auth_lambda.chalicelib.registry import CustomerRegistry, Outdated
from auth_lambda.chalicelib.sealing import Broken
from auth_lambda.chalicelib.sessions import Sessions, reference_of
from auth_lambda.chalicelib.sign_up import SignUp
from auth_lambda.chalicelib.table import Table
from auth_lambda.chalicelib.throttle import Limit, Throttle
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
    consented_at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
)
HERE = Holder(owner="CUSTOMER#c1", place="here")
THERE = Holder(owner="CUSTOMER#c1", place="there")
OTHER = Holder(owner="CUSTOMER#c2", place="here")


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
    code = codes.issue(HERE)

    assert [codes.is_right(HERE, code) for _ in range(2)] == [True, False]


def test_three_wrong_answers_use_a_code_up(codes: Codes) -> None:
    code = codes.issue(HERE)

    answers = [codes.is_right(HERE, given) for given in ("999999", "999998", "999997", code)]

    assert answers == [False] * 4


def test_a_code_ends_after_five_minutes(codes: Codes, clock: Clock) -> None:
    code = codes.issue(HERE)
    clock.advance(minutes=5)

    assert not codes.is_right(HERE, code)


def test_a_code_is_no_use_to_another_customer(codes: Codes) -> None:
    code = codes.issue(HERE)
    codes.issue(OTHER)

    assert not codes.is_right(OTHER, code)


def test_one_code_goes_out_in_a_minute_and_replaces_the_last(codes: Codes, clock: Clock) -> None:
    first = codes.issue(HERE)
    within = codes.issue(HERE)
    clock.advance(minutes=1)
    second = codes.issue(HERE)

    assert within is None
    assert not codes.is_right(HERE, first)
    assert codes.is_right(HERE, second)


def test_a_withdrawn_code_makes_room_for_the_next(codes: Codes) -> None:
    code = codes.issue(HERE)

    assert codes.withdraw(HERE, code)
    assert codes.issue(HERE) is not None


def test_somebody_elsewhere_neither_uses_up_a_code_nor_its_minute(codes: Codes) -> None:
    mine = codes.issue(HERE)

    theirs = codes.issue(THERE)
    guesses = [codes.is_right(THERE, "999999") for _ in range(3)]

    assert theirs is not None
    assert guesses == [False] * 3
    assert codes.is_right(HERE, mine)


def test_a_session_is_good_for_three_attempts_in_its_shop(table: Table, clock: Clock) -> None:
    sessions = Sessions(table, clock=clock)
    sessions.open(ANA, "token")

    elsewhere = sessions.attempt(BETO, "token")
    rounds = [sessions.attempt(ANA, "token") for _ in range(4)]

    assert elsewhere is None
    assert [played is not None for played in rounds] == [True, True, True, False]


def test_a_session_knows_whose_code_it_awaits_once_it_is_bound(table: Table, clock: Clock) -> None:
    sessions = Sessions(table, clock=clock)
    sessions.open(ANA, "token")
    before = sessions.attempt(ANA, "token")

    sessions.bind(reference_of("token"), HERE, customer_id="c1")
    after = sessions.attempt(ANA, "token")

    assert (before.holder, before.customer_id) == (None, None)
    assert (after.holder, after.customer_id) == (HERE, "c1")


def test_a_session_that_is_gone_is_not_bound(table: Table, clock: Clock) -> None:
    assert not Sessions(table, clock=clock).bind(reference_of("token"), HERE)


def test_a_session_ends_after_five_minutes(table: Table, clock: Clock) -> None:
    sessions = Sessions(table, clock=clock)
    sessions.open(ANA, "token")
    clock.advance(minutes=5)

    assert sessions.attempt(ANA, "token") is None


def test_a_pass_is_good_once_for_its_customer_and_for_a_minute(table: Table, clock: Clock) -> None:
    passes = Passes(table, clock=clock)
    used, late = passes.grant("c1"), passes.grant("c1")

    assert not passes.redeem("c2", used)
    assert [passes.redeem("c1", used) for _ in range(2)] == [True, False]
    clock.advance(minutes=1)
    assert not passes.redeem("c1", late)


def test_an_application_opens_with_its_session_alone() -> None:
    applications = Applications(b"k" * 32)
    sealed = applications.seal(MARIA, session="s1")

    assert applications.open(sealed, session="s1").cpf == MARIA.cpf
    with pytest.raises(Broken):
        applications.open(sealed, session="s2")


MINE = Owner(kind=OwnerKind.CUSTOMER, shop_id=ANA, name="c1")


@pytest.fixture
def families(table: Table, clock: Clock) -> Families:
    return Families(table, clock=clock)


def test_each_refresh_token_is_good_once_and_makes_the_next(families: Families) -> None:
    first = families.begin(MINE, inner="cognito's")
    held = families.open(ANA, first)
    second = families.rotate(held)

    assert held.inner == "cognito's"
    assert families.open(ANA, second).inner == "cognito's"


def test_a_refresh_token_that_comes_back_ends_its_family(families: Families) -> None:
    first = families.begin(MINE, inner="x")
    second = families.rotate(families.open(ANA, first))

    with pytest.raises(SignInRefused):
        families.open(ANA, first)
    with pytest.raises(SignInRefused):
        families.open(ANA, second)


def test_of_two_refreshes_at_once_none_goes_on(families: Families) -> None:
    first = families.begin(MINE, inner="x")
    one, other = families.open(ANA, first), families.open(ANA, first)
    second = families.rotate(one)

    with pytest.raises(SignInRefused):
        families.rotate(other)
    with pytest.raises(SignInRefused):
        families.open(ANA, second)


def test_a_refresh_token_ends_after_seven_days_and_never_leaves_its_shop(
    families: Families, clock: Clock
) -> None:
    token = families.begin(MINE, inner="x")

    with pytest.raises(SignInRefused):
        families.open(BETO, token)
    clock.advance(days=7)
    with pytest.raises(SignInRefused):
        families.open(ANA, token)


@pytest.mark.parametrize("token", ["", "a.b.c", "W10.x.y", "e30.x.y", "....", "é.b.c"])
def test_what_is_no_refresh_token_is_refused(families: Families, token: str) -> None:
    with pytest.raises(SignInRefused):
        families.open(ANA, token)


def test_signing_out_everywhere_ends_all_families_of_one_owner(families: Families) -> None:
    other = Owner(kind=OwnerKind.CUSTOMER, shop_id=ANA, name="c2")
    mine = [families.begin(MINE, inner="x") for _ in range(2)]
    theirs = families.begin(other, inner="y")

    assert families.revoke_all(MINE) == 2
    for token in mine:
        with pytest.raises(SignInRefused):
            families.open(ANA, token)
    assert families.open(ANA, theirs).inner == "y"


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


def test_a_lease_is_spent_in_memory_and_never_exceeds_the_limit(table: Table, clock: Clock) -> None:
    throttle = Throttle(table, clock=clock)
    limit = Limit(purpose="LEASE", count=25, lease=10)  # A tenth: two at a time.
    admitted = 0

    with pytest.raises(Throttled):
        for _ in range(100):
            throttle.admit(limit, shop_id=ANA, name="n")
            admitted += 1

    assert admitted == 25
    clock.advance(minutes=10)
    throttle.admit(limit, shop_id=ANA, name="n")


def test_a_quiet_container_leaves_little_of_its_leases_unspent(table: Table, clock: Clock) -> None:
    throttle = Throttle(table, clock=clock)
    limit = Limit(purpose="GROWING", count=1000, lease=30)
    taken = []
    for _ in range(40):
        throttle.admit(limit, shop_id=ANA, name="n")
        ((_, item),) = table.items(f"THROTTLE#GROWING#{ANA}#n")
        taken.append(item["tally"])

    # One, then two, four, eight, sixteen, and thirty at most.
    assert [taken[n - 1] for n in (1, 2, 3, 4, 7, 8, 15, 16, 31, 32)] == [
        *(1, 3, 3, 7, 7, 15, 15, 31, 31, 61)
    ]
    assert all(got <= 2 * spent for spent, got in enumerate(taken, start=1))


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
        herald=TopicHerald(publisher),
        pseudonyms=NAMES,
        clock=clock,
        new=lambda: UUID(int=next(numbers), version=4),
    )


def test_a_sign_up_that_could_not_be_announced_is_announced_by_its_repeat(
    table: Table, clock: Clock
) -> None:
    publisher = FakePublisher(refusals=1)
    sign_up = sign_up_on(table, clock, publisher)
    with pytest.raises(Unavailable):
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


def test_a_cpf_that_is_taken_registers_the_newcomer_without_it(table: Table, clock: Clock) -> None:
    publisher = FakePublisher()
    sign_up = sign_up_on(table, clock, publisher)
    first = sign_up.register(ANA, MARIA)

    second = sign_up.register(ANA, replace(MARIA, email=Email("other@exemplo.com.br")))

    registry = CustomerRegistry(table)
    assert first != second
    assert registry.find(ANA, NAMES.of(MARIA.cpf)) == first
    assert registry.get(second).cpf_name is None
    assert len(publisher.published) == 2


def test_an_email_that_is_taken_is_its_customer_whatever_the_cpf(
    table: Table, clock: Clock
) -> None:
    publisher = FakePublisher()
    sign_up = sign_up_on(table, clock, publisher)
    first = sign_up.register(ANA, MARIA)

    second = sign_up.register(ANA, replace(MARIA, cpf=CPF("529.982.247-25")))

    assert first == second
    assert CustomerRegistry(table).find(ANA, NAMES.of(CPF("529.982.247-25"))) is None
    assert len(publisher.published) == 1


def test_of_two_edits_of_one_edition_one_is_told(table: Table, clock: Clock) -> None:
    customer_id = sign_up_on(table, clock, FakePublisher()).register(ANA, MARIA)
    registry = CustomerRegistry(table)

    assert registry.advance(customer_id, edition=1) == 2
    with pytest.raises(Outdated):
        registry.advance(customer_id, edition=1)


def test_a_cpf_that_is_free_again_goes_to_who_asks(table: Table, clock: Clock) -> None:
    sign_up = sign_up_on(table, clock, FakePublisher())
    thief = sign_up.register(ANA, MARIA)
    owner = sign_up.register(ANA, replace(MARIA, email=Email("other@exemplo.com.br")))
    registry, name = CustomerRegistry(table), NAMES.of(MARIA.cpf)

    refused = registry.take_cpf(registry.get(owner), name)
    registry.give_up_cpf(registry.get(thief))
    taken = registry.take_cpf(registry.get(owner), name)

    assert (refused, taken) == (False, True)
    assert registry.find(ANA, name) == owner
    assert registry.get(owner).cpf_name == name


def test_the_table_holds_no_person_in_clear(table: Table, clock: Clock) -> None:
    sign_up_on(table, clock, FakePublisher()).register(ANA, MARIA)

    stored = str(boto3.client("dynamodb", region_name="sa-east-1").scan(TableName="customers"))

    assert all(word not in stored for word in ("12345678909", "maria@", "Maria"))
