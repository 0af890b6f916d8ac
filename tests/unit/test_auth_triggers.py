"""Cognito's triggers, each with the events that Cognito sends."""

from typing import Any

import pytest

from auth_lambda.chalicelib.triggers import (
    add_shop_claim,
    create_challenge,
    define_challenge,
    verify_answer,
)
from comanda.ids import InvalidShopId

PASS = "granted"


class FakePasses:
    """One pass for everybody."""

    def redeem(self, customer_id: str, given: str) -> bool:
        return given == PASS


def event(*results: int, **request: Any) -> dict[str, Any]:
    """An event after these rounds: 1 for each right answer, 0 for each wrong one."""
    rounds = [
        {
            "challengeName": "CUSTOM_CHALLENGE",
            "challengeResult": bool(result),
            "challengeMetadata": "PASS",
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


@pytest.mark.parametrize("changes", [{}, {"userNotFound": True}, {"session": [{}]}])
def test_every_round_asks_for_a_pass_and_sends_nothing(changes: dict[str, Any]) -> None:
    answer = create_challenge(event(**changes))

    assert answer["response"] == {
        "publicChallengeParameters": {"kind": "pass"},
        "privateChallengeParameters": {"kind": "pass"},
        "challengeMetadata": "PASS",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"challengeAnswer": "000043"},
        {"challengeAnswer": None},
        {},
        {"challengeAnswer": PASS, "userNotFound": True},
    ],
)
def test_anything_but_the_pass_of_somebody_who_exists_is_wrong(changes: dict[str, Any]) -> None:
    answer = verify_answer(event(**changes), passes=FakePasses)

    assert answer["response"] == {"answerCorrect": False}


def test_the_pass_is_right() -> None:
    answer = verify_answer(event(challengeAnswer=PASS), passes=FakePasses)

    assert answer["response"] == {"answerCorrect": True}


def test_the_access_token_gets_the_shop_of_the_user() -> None:
    details = add_shop_claim(event())["response"]["claimsAndScopeOverrideDetails"]

    assert details["accessTokenGeneration"] == {
        "claimsToAddOrOverride": {"shop": "lanchonete-da-ana"}
    }


def test_a_user_without_a_shop_gets_no_token() -> None:
    with pytest.raises(InvalidShopId):
        add_shop_claim(event(userAttributes={}))
