"""Cognito's triggers, each with the events that Cognito sends."""

from typing import Any

import pytest

from auth_lambda.chalicelib.aws import Unavailable
from auth_lambda.chalicelib.triggers import (
    add_shop_claim,
    create_challenge,
    define_challenge,
    verify_answer,
)
from comanda.ids import InvalidShopId

CODE = "000042"


class FakeCodes:
    """One code for everybody, sent at most once."""

    def __init__(self) -> None:
        self.issued: list[str] = []
        self.withdrawn: list[str] = []

    def issue(self, customer_id: str) -> str | None:
        if customer_id in self.issued:
            return None
        self.issued.append(customer_id)
        return CODE

    def withdraw(self, customer_id: str, code: str) -> bool:
        self.withdrawn.append(customer_id)
        return True

    def is_right(self, customer_id: str, answer: str) -> bool:
        return answer == CODE


class FakeMailer:
    def __init__(self, *, is_down: bool = False) -> None:
        self.sent: list[tuple[str, str]] = []
        self.is_down = is_down

    def send_code(self, email: str, code: str) -> None:
        if self.is_down:
            raise Unavailable("SES")
        self.sent.append((email, code))


def event(*results: int, **request: Any) -> dict[str, Any]:
    """An event after these rounds: 1 for each right answer, 0 for each wrong one."""
    rounds = [
        {
            "challengeName": "CUSTOM_CHALLENGE",
            "challengeResult": bool(result),
            "challengeMetadata": "CODE",
        }
        for result in results
    ]
    attributes = {"email": "maria@exemplo.com.br", "custom:shop": "lanchonete-da-ana"}
    base = {"session": rounds, "userNotFound": False, "userAttributes": attributes}
    return {"userName": "c1", "request": base | request, "response": {}}


def test_a_sign_in_begins_with_our_challenge() -> None:
    assert define_challenge(event())["response"] == {
        "challengeName": "CUSTOM_CHALLENGE",
        "issueTokens": False,
        "failAuthentication": False,
    }


@pytest.mark.parametrize("results", [(1,), (0, 1), (0, 0, 1)])
def test_a_right_answer_in_three_rounds_issues_tokens(results: tuple[int, ...]) -> None:
    assert define_challenge(event(*results))["response"]["issueTokens"] is True


@pytest.mark.parametrize("results", [(0,), (0, 0)])
def test_a_wrong_answer_is_asked_for_again(results: tuple[int, ...]) -> None:
    response = define_challenge(event(*results))["response"]

    assert response["challengeName"] == "CUSTOM_CHALLENGE"


def test_the_third_wrong_answer_ends_the_sign_in() -> None:
    response = define_challenge(event(0, 0, 0))["response"]

    assert response == {"issueTokens": False, "failAuthentication": True}


def test_a_round_of_another_challenge_ends_the_sign_in() -> None:
    foreign = event(session=[{"challengeName": "SRP_A", "challengeResult": True}])

    assert define_challenge(foreign)["response"]["failAuthentication"] is True


def test_who_does_not_exist_never_gets_tokens() -> None:
    response = define_challenge(event(1, userNotFound=True))["response"]

    assert response == {"issueTokens": False, "failAuthentication": True}


def test_the_first_round_mails_a_code_that_the_challenge_does_not_hold() -> None:
    codes, mailer = FakeCodes(), FakeMailer()

    answer = create_challenge(event(), codes=lambda: codes, mailer=lambda: mailer)

    assert mailer.sent == [("maria@exemplo.com.br", CODE)]
    assert CODE not in str(answer["response"])


@pytest.mark.parametrize("changes", [{"userNotFound": True}, {"session": [{}]}])
def test_later_rounds_and_strangers_get_the_same_challenge_and_no_mail(
    changes: dict[str, Any],
) -> None:
    codes, mailer = FakeCodes(), FakeMailer()
    first = create_challenge(event(), codes=FakeCodes, mailer=FakeMailer)

    later = create_challenge(event(**changes), codes=lambda: codes, mailer=lambda: mailer)

    assert mailer.sent == []
    assert later["response"] == first["response"]


def test_a_code_that_went_out_a_moment_ago_is_not_sent_again() -> None:
    codes, mailer = FakeCodes(), FakeMailer()

    for _ in range(2):
        create_challenge(event(), codes=lambda: codes, mailer=lambda: mailer)

    assert len(mailer.sent) == 1


def test_a_code_that_could_not_be_mailed_is_withdrawn() -> None:
    codes = FakeCodes()

    with pytest.raises(Unavailable):
        create_challenge(event(), codes=lambda: codes, mailer=lambda: FakeMailer(is_down=True))

    assert codes.withdrawn == ["c1"]


@pytest.mark.parametrize(
    "changes",
    [
        {"challengeAnswer": "000043"},
        {"challengeAnswer": None},
        {},
        {"challengeAnswer": CODE, "userNotFound": True},
    ],
)
def test_anything_but_the_code_of_somebody_who_exists_is_wrong(changes: dict[str, Any]) -> None:
    answer = verify_answer(event(**changes), codes=FakeCodes)

    assert answer["response"] == {"answerCorrect": False}


def test_the_code_is_right() -> None:
    answer = verify_answer(event(challengeAnswer=CODE), codes=FakeCodes)

    assert answer["response"] == {"answerCorrect": True}


def test_the_access_token_gets_the_shop_of_the_user() -> None:
    details = add_shop_claim(event())["response"]["claimsAndScopeOverrideDetails"]

    assert details["accessTokenGeneration"] == {
        "claimsToAddOrOverride": {"shop": "lanchonete-da-ana"}
    }


def test_a_user_without_a_shop_gets_no_token() -> None:
    with pytest.raises(InvalidShopId):
        add_shop_claim(event(userAttributes={}))
