"""Cognito's questions during a sign-in: which challenge, was the pass good, which claims."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from comanda.ids import ShopId

if TYPE_CHECKING:
    from .passes import Passes

log = logging.getLogger("auth_lambda")
ATTEMPTS = 3
_CHALLENGE = "CUSTOM_CHALLENGE"
TriggerEvent = dict[str, Any]


def define_challenge(event: TriggerEvent) -> TriggerEvent:
    """Issue tokens after a right answer, fail after the third wrong one, else ask again."""
    rounds = event["request"].get("session") or []
    # Only our own challenge counts: a client must not get in by a flow that we do not offer.
    is_foreign = any(played.get("challengeName") != _CHALLENGE for played in rounds)
    is_right = bool(rounds) and rounds[-1].get("challengeResult") is True
    has_user = not event["request"].get("userNotFound")
    is_over = is_foreign or (len(rounds) >= ATTEMPTS and not is_right)
    is_in = is_right and has_user and not is_over
    event["response"] = {
        "issueTokens": is_in,
        "failAuthentication": not is_in and (is_over or is_right),
    }
    if not is_in and not event["response"]["failAuthentication"]:
        event["response"]["challengeName"] = _CHALLENGE
    log.info("challenge defined", extra={"rounds": len(rounds), "is_issued": is_in})
    return event


def create_challenge(event: TriggerEvent) -> TriggerEvent:
    """Ask for a pass; nothing is sent from here, so that nobody can make us write by Cognito."""
    event["response"] = {
        "publicChallengeParameters": {"kind": "pass"},
        "privateChallengeParameters": {"kind": "pass"},
        "challengeMetadata": "PASS",
    }
    return event


def verify_answer(event: TriggerEvent, *, passes: Callable[[], "Passes"]) -> TriggerEvent:
    """Say whether the answer is a pass that the API has just granted to this customer."""
    request = event["request"]
    answer = request.get("challengeAnswer")
    is_right = (
        isinstance(answer, str)
        and not request.get("userNotFound")
        and passes().redeem(event["userName"], answer)
    )
    event["response"] = {"answerCorrect": is_right}
    log.info("answer verified", extra={"is_right": is_right})
    return event


def add_shop_claim(event: TriggerEvent) -> TriggerEvent:
    """Put the user's shop into the access token; a user without one gets no token."""
    shop_id = ShopId(event["request"]["userAttributes"].get("custom:shop", ""))
    event["response"] = {
        "claimsAndScopeOverrideDetails": {
            "accessTokenGeneration": {"claimsToAddOrOverride": {"shop": str(shop_id)}}
        }
    }
    log.info("shop claimed", extra={"shop_id": str(shop_id)})
    return event
