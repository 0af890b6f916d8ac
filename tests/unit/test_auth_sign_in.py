"""A right code leads to tokens once, whatever breaks, comes late or is asked twice on the way."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from uuid import UUID

import boto3
import pytest

from auth_lambda.chalicelib.addressees import WhoSignsIn
from auth_lambda.chalicelib.applications import Applications
from auth_lambda.chalicelib.aws import Unavailable
from auth_lambda.chalicelib.codes import Codes
from auth_lambda.chalicelib.cognito import Person, Tokens
from auth_lambda.chalicelib.courier import Letter
from auth_lambda.chalicelib.families import Families
from auth_lambda.chalicelib.passes import Passes
from auth_lambda.chalicelib.post import PostRoom
from auth_lambda.chalicelib.proofs import Proofs
from auth_lambda.chalicelib.purposes import Purpose
from auth_lambda.chalicelib.refusals import SignInRefused
from auth_lambda.chalicelib.registry import CustomerRegistry, Registration
from auth_lambda.chalicelib.sessions import Sessions
from auth_lambda.chalicelib.sign_in import SignIn
from auth_lambda.chalicelib.sign_up import SignUp
from auth_lambda.chalicelib.table import Change, Key, Table
from auth_lambda.chalicelib.throttle import Throttle
from auth_lambda.chalicelib.visits import Visits
from tests import auth_table
from tests.auth_table import ANA, MARIA, NAMES
from tests.identity_builders import Clock

clock = auth_table.clock
table = auth_table.table

HOME = "10.0.0.1"
TOKENS = Tokens(access_token="a", refresh_token="r", expires_in=timedelta(minutes=15))
Meanwhile = Callable[[], None]


class Cognito:
    """A pool that redeems passes as the trigger does, late or broken when a test says so."""

    def __init__(self, passes: Passes) -> None:
        self._passes = passes
        self.people: dict[str, Person] = {}
        self.outages = 0
        self.late_answers = 0
        self.more_rounds = 0
        self.meanwhile: Meanwhile | None = None
        self.revoked: list[str] = []

    def create(self, person: Person) -> None:
        self.people[person.customer_id] = person

    def begin(self, username: str) -> str | None:
        return "session" if username in self.people else None

    def answer(self, username: str, *, session: str, code: str) -> Tokens | str:
        if self.more_rounds:
            self.more_rounds -= 1
            return "session of another round"
        if self.outages:
            self.outages -= 1
            raise Unavailable("Cognito")
        is_right = self._passes.redeem(username, code)
        if self.late_answers:
            # The SDK asks again, and Cognito answers what it thinks of a pass that is used up.
            self.late_answers -= 1
            is_right = self._passes.redeem(username, code)
        if not is_right:
            raise SignInRefused
        if self.meanwhile is not None:
            twin, self.meanwhile = self.meanwhile, None
            twin()
        return TOKENS

    def revoke(self, inner: str) -> None:
        self.revoked.append(inner)


class LastingCodes(Table):
    """A table that is down whenever a code is to go."""

    def delete(self, key: Key, change: Change | None = None) -> None:
        if key.sk.startswith("CODE#"):
            raise Unavailable("DynamoDB")
        super().delete(key, change)


class Herald:
    def registered(self, registration: Registration, *, email: str) -> None:
        """Tell nobody."""


class Mailer:
    def __init__(self) -> None:
        self.codes: list[str] = []

    def send_code(self, email: str, code: str, *, purpose: Purpose) -> None:
        self.codes.append(code)


class Hall:
    """The sign-in on a table, whose letters wait until a test lets the post have them."""

    def __init__(self, table: Table, clock: Clock) -> None:
        numbers = count(1)
        self.letters: list[Letter] = []
        self.mailer = Mailer()
        passes, registry = Passes(table, clock=clock), CustomerRegistry(table)
        sessions, throttle = Sessions(table, clock=clock), Throttle(table, clock=clock)
        codes = Codes(table, pseudonyms=NAMES, clock=clock)
        applications = Applications(b"k" * 32)
        self.cognito = pool = Cognito(passes)
        addressees = WhoSignsIn(
            registry=registry, applications=applications, pool=pool, clock=clock
        )
        self.post = PostRoom(
            addressees=addressees,
            sessions=sessions,
            codes=codes,
            throttle=throttle,
            mailer=self.mailer,
        )
        self.door = SignIn(
            applications=applications,
            sessions=sessions,
            proofs=Proofs(sessions=sessions, codes=codes),
            courier=self,
            throttle=throttle,
            pseudonyms=NAMES,
            sign_up=SignUp(
                registry=registry,
                pool=pool,
                herald=Herald(),
                pseudonyms=NAMES,
                clock=clock,
                new=lambda: UUID(int=next(numbers), version=4),
            ),
            visits=Visits(
                customers=pool,
                staff=pool,
                passes=passes,
                families=Families(table, clock=clock),
                clock=clock,
            ),
            registry=registry,
            clock=clock,
        )

    def take(self, letter: Letter) -> None:
        self.letters.append(letter)

    def apply(self) -> str:
        return self.door.apply(ANA, MARIA, address=HOME)

    def deliver(self) -> str:
        """Let the post have the next letter; give the code that went out last."""
        self.post.deliver(self.letters.pop(0))
        return self.mailer.codes[-1]

    def answer(self, session: str, code: str) -> Tokens:
        return self.door.answer(ANA, session=session, code=code, address=HOME)


@pytest.fixture
def hall(table: Table, clock: Clock) -> Hall:
    return Hall(table, clock)


def test_a_code_is_still_good_after_outages_and_then_no_more(hall: Hall) -> None:
    session, code = hall.apply(), hall.deliver()
    hall.cognito.outages = 5

    for _ in range(5):
        with pytest.raises(Unavailable):
            hall.answer(session, code)
    tokens = hall.answer(session, code)

    assert tokens.access_token == "a"
    with pytest.raises(SignInRefused):
        hall.answer(session, code)


def test_an_answer_of_cognito_that_came_late_is_an_outage_and_no_refusal(hall: Hall) -> None:
    session, code = hall.apply(), hall.deliver()
    hall.cognito.late_answers = 1

    with pytest.raises(Unavailable, match="pass"):
        hall.answer(session, code)

    assert hall.answer(session, code).access_token == "a"


def test_another_round_at_cognito_is_an_outage_and_no_refusal(hall: Hall) -> None:
    session, code = hall.apply(), hall.deliver()
    hall.cognito.more_rounds = 1

    with pytest.raises(Unavailable, match="pass"):
        hall.answer(session, code)

    assert hall.answer(session, code).access_token == "a"


def test_who_asked_twice_gets_in_by_the_first_code_before_the_second_letter_is_read(
    hall: Hall,
) -> None:
    hall.apply()
    code = hall.deliver()
    newest = hall.apply()

    tokens = hall.answer(newest, code)

    assert tokens.access_token == "a"
    assert len(hall.letters) == 1


def test_who_asks_anew_after_an_outage_is_sent_a_new_code_and_gets_in(hall: Hall) -> None:
    first, old = hall.apply(), hall.deliver()
    hall.cognito.outages = 1
    with pytest.raises(Unavailable):
        hall.answer(first, old)

    newest, code = hall.apply(), hall.deliver()

    assert len(hall.mailer.codes) == 2
    assert hall.answer(newest, code).access_token == "a"


def test_a_code_that_one_session_used_opens_no_other(hall: Hall) -> None:
    first, code = hall.apply(), hall.deliver()
    second = hall.apply()
    hall.cognito.outages = 1
    with pytest.raises(Unavailable):
        hall.answer(first, code)

    with pytest.raises(SignInRefused):
        hall.answer(second, code)

    assert hall.answer(first, code).access_token == "a"


def test_guesses_after_an_outage_are_counted(hall: Hall) -> None:
    session, code = hall.apply(), hall.deliver()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    hall.cognito.outages = 1
    with pytest.raises(Unavailable):
        hall.answer(session, code)

    for given in (wrong, wrong, wrong, code):
        with pytest.raises(SignInRefused):
            hall.answer(session, given)


def test_of_two_answers_at_once_one_leads_to_tokens_and_the_other_leaves_none(hall: Hall) -> None:
    session, code = hall.apply(), hall.deliver()
    admitted: list[Tokens] = []
    hall.cognito.meanwhile = lambda: admitted.append(hall.answer(session, code))

    with pytest.raises(SignInRefused):
        hall.answer(session, code)

    assert len(admitted) == 1
    assert hall.cognito.revoked == ["r"]


def test_who_was_let_in_is_in_though_the_used_code_could_not_be_removed(
    table: Table, clock: Clock
) -> None:
    client = boto3.client("dynamodb", region_name="sa-east-1")
    hall = Hall(LastingCodes(client, "customers"), clock)
    session, code = hall.apply(), hall.deliver()

    tokens = hall.answer(session, code)

    assert tokens.access_token == "a"
    for again in (session, hall.apply()):
        with pytest.raises(SignInRefused):
            hall.answer(again, code)
