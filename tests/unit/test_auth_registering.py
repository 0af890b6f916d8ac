"""A customer is registered once for each shop, announced for certain, and never kept in clear."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

import boto3
import pytest

from auth_lambda.chalicelib.aws import Unavailable
from auth_lambda.chalicelib.cognito import Person
from auth_lambda.chalicelib.herald import TopicHerald
from auth_lambda.chalicelib.pseudonyms import Email
from auth_lambda.chalicelib.registry import CustomerRegistry, Outdated
from auth_lambda.chalicelib.sign_up import SignUp
from auth_lambda.chalicelib.table import Table
from comanda.cpf import CPF
from comanda.envelope import Envelope
from comanda.messaging.ports import MessagingUnavailable
from tests import auth_table
from tests.auth_table import ANA, BETO, MARIA, NAMES
from tests.identity_builders import Clock

clock = auth_table.clock
table = auth_table.table


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
