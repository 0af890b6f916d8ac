"""The two user pools: customers, who answer codes, and staff, who have passwords."""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from comanda.identity.tokens import InvalidToken, parse
from comanda.ids import CustomerId, ShopId

from .aws import Refused, ask

_NO = ("NotAuthorizedException", "UserNotFoundException", "PasswordResetRequiredException")
# Cognito answers an unknown or used session with any of these.
_NO_SESSION = (*_NO, "CodeMismatchException", "ExpiredCodeException", "InvalidParameterException")


class SignInRefused(Exception):
    """Wrong answer, wrong password, unknown person or used session: deliberately one refusal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """What a successful sign-in gives."""

    access_token: str
    refresh_token: str
    expires_in: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """What Cognito keeps of a customer."""

    customer_id: CustomerId
    shop_id: ShopId
    name: str
    email: str


class CustomerPool:
    """Customers; each has a password that nobody, this code included, has ever seen."""

    def __init__(self, client: Any, *, pool_id: str, client_id: str) -> None:
        self._client = client
        self._pool_id = pool_id
        self._both: dict[str, Any] = {"UserPoolId": pool_id, "ClientId": client_id}

    def create(self, person: Person) -> None:
        """Make the user, who may be there already: a repeat finishes what was begun."""
        attributes = {
            "email": person.email,
            "name": person.name,
            "custom:shop": str(person.shop_id),
        }
        # When the request is repeated, the user exists and only the password may be missing.
        with suppress(Refused):
            ask(
                self._client.admin_create_user,
                refusals=("UsernameExistsException",),
                UserPoolId=self._pool_id,
                Username=person.customer_id,
                MessageAction="SUPPRESS",
                UserAttributes=[{"Name": n, "Value": v} for n, v in attributes.items()],
            )
        # A permanent password takes the user out of FORCE_CHANGE_PASSWORD, where no flow works.
        ask(
            self._client.admin_set_user_password,
            UserPoolId=self._pool_id,
            Username=person.customer_id,
            Password=f"aA1!{secrets.token_urlsafe(48)}",
            Permanent=True,
        )

    def begin(self, username: str) -> str | None:
        """Start a custom sign-in and give Cognito's session, None when there is no such user."""
        try:
            answer = ask(
                self._client.admin_initiate_auth,
                refusals=_NO,
                **self._both,
                AuthFlow="CUSTOM_AUTH",
                AuthParameters={"USERNAME": username},
            )
        except Refused:
            return None
        return str(answer["Session"])

    def answer(self, username: str, *, session: str, code: str) -> Tokens | str:
        """Give tokens, or the session of the next round; raise `SignInRefused` after the last."""
        try:
            answer = ask(
                self._client.admin_respond_to_auth_challenge,
                refusals=_NO_SESSION,
                **self._both,
                ChallengeName="CUSTOM_CHALLENGE",
                Session=session,
                ChallengeResponses={"USERNAME": username, "ANSWER": code},
            )
        except Refused as exc:
            raise SignInRefused from exc
        result = answer.get("AuthenticationResult")
        return _tokens(result) if result else str(answer["Session"])


class StaffPool:
    """Staff; the shop that Cognito has for a user must be the one at whose door they stand."""

    def __init__(self, client: Any, *, pool_id: str, client_id: str) -> None:
        self._client = client
        self._both: dict[str, Any] = {"UserPoolId": pool_id, "ClientId": client_id}

    def sign_in(self, shop_id: ShopId, *, username: str, password: str) -> Tokens:
        """Check a password; raise `SignInRefused`."""
        try:
            answer = ask(
                self._client.admin_initiate_auth,
                refusals=(*_NO, "InvalidParameterException"),
                **self._both,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": username, "PASSWORD": password},
            )
        except Refused as exc:
            raise SignInRefused from exc
        result = answer.get("AuthenticationResult")
        if not result or _shop_of(result["AccessToken"]) != shop_id:
            raise SignInRefused
        return _tokens(result)


def _tokens(result: dict[str, Any]) -> Tokens:
    return Tokens(
        access_token=result["AccessToken"],
        refresh_token=result["RefreshToken"],
        expires_in=timedelta(seconds=result["ExpiresIn"]),
    )


def _shop_of(access_token: str) -> object:
    # It comes straight from Cognito, so its claims need no second proof here.
    try:
        return parse(access_token).claims.get("shop")
    except InvalidToken:
        return None
