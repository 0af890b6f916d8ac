"""Cognito's questions during a sign-in: which challenge, which code, was it right, which claims."""

import logging
from collections.abc import Callable
from typing import Any

from comanda.ids import ShopId

from .aws import Unavailable
from .codes import ATTEMPTS, Codes
from .mail import Mailer

log = logging.getLogger("auth_lambda")
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


def create_challenge(
    event: TriggerEvent, *, codes: Callable[[], Codes], mailer: Callable[[], Mailer]
) -> TriggerEvent:
    """Send a code in the first round; later rounds ask for the same one again."""
    request = event["request"]
    is_sent = False
    if not request.get("session") and not request.get("userNotFound"):
        email = request["userAttributes"]["email"]
        is_sent = _send(event["userName"], email, codes=codes(), mailer=mailer())
    # Nothing of the code travels with the challenge: its hash lies in our table.
    event["response"] = {
        "publicChallengeParameters": {"medium": "email"},
        "privateChallengeParameters": {"kind": "code"},
        "challengeMetadata": "CODE",
    }
    log.info("challenge created", extra={"is_sent": is_sent})
    return event


def verify_answer(event: TriggerEvent, *, codes: Callable[[], Codes]) -> TriggerEvent:
    """Say whether the answer is the code."""
    request = event["request"]
    answer = request.get("challengeAnswer")
    is_right = (
        isinstance(answer, str)
        and not request.get("userNotFound")
        and codes().is_right(event["userName"], answer)
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


def _send(customer_id: str, email: str, *, codes: Codes, mailer: Mailer) -> bool:
    code = codes.issue(customer_id)
    if code is None:
        return False
    try:
        mailer.send_code(email, code)
    except Unavailable:
        # What was not sent must not hold back the next send for a minute.
        codes.withdraw(customer_id, code)
        raise
    return True
