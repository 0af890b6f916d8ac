"""The customers' user pool, and what both pools have in common."""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from comanda.ids import CustomerId, ShopId

from .aws import Refused, ask
from .refusals import SignInRefused

NO = ("NotAuthorizedException", "UserNotFoundException", "PasswordResetRequiredException")
# Cognito answers an unknown or used session with any of these.
NO_SESSION = (*NO, "CodeMismatchException", "ExpiredCodeException", "InvalidParameterException")
_GONE = ("UserNotFoundException",)


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
    birth_date: date | None = None


class Pool:
    """One user pool with its one client."""

    def __init__(self, client: Any, *, pool_id: str, client_id: str) -> None:
        self._client = client
        self._pool_id = pool_id
        self._client_id = client_id
        self._both: dict[str, Any] = {"UserPoolId": pool_id, "ClientId": client_id}

    def refresh(self, inner: str) -> Tokens:
        """Give new tokens for Cognito's refresh token; raise `Refused`."""
        answer = ask(
            self._client.admin_initiate_auth,
            refusals=NO,
            **self._both,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": inner},
        )
        return tokens_of(answer["AuthenticationResult"], refresh_token=inner)

    def revoke(self, inner: str) -> None:
        """Make Cognito's refresh token useless, too."""
        with suppress(Refused):
            ask(
                self._client.revoke_token,
                refusals=(*NO, "UnsupportedTokenTypeException", "InvalidParameterException"),
                Token=inner,
                ClientId=self._client_id,
            )

    def sign_out(self, username: str) -> None:
        """End all of a user's refresh tokens."""
        with suppress(Refused):
            ask(self._client.admin_user_global_sign_out, refusals=_GONE, **self._whom(username))

    def attributes(self, username: str) -> dict[str, str] | None:
        """Give what Cognito keeps of a user, None when there is no such user."""
        try:
            answer = ask(self._client.admin_get_user, refusals=_GONE, **self._whom(username))
        except Refused:
            return None
        return {it["Name"]: it["Value"] for it in answer["UserAttributes"]}

    def _whom(self, username: str) -> dict[str, Any]:
        return {"UserPoolId": self._pool_id, "Username": username}


class CustomerPool(Pool):
    """Customers; each has a password that nobody, this code included, has ever seen."""

    def create(self, person: Person) -> None:
        """Make the user, who may be there already: a repeat finishes what was begun."""
        attributes = {
            "email": person.email,
            "email_verified": "true",
            "name": person.name,
            "custom:shop": str(person.shop_id),
        }
        if person.birth_date is not None:
            attributes["birthdate"] = person.birth_date.isoformat()
        # When the request is repeated, the user exists and only the password may be missing.
        with suppress(Refused):
            ask(
                self._client.admin_create_user,
                refusals=("UsernameExistsException",),
                **self._whom(person.customer_id),
                MessageAction="SUPPRESS",
                UserAttributes=pairs(attributes),
            )
        # A permanent password takes the user out of FORCE_CHANGE_PASSWORD, where no flow works.
        ask(
            self._client.admin_set_user_password,
            **self._whom(person.customer_id),
            Password=f"aA1!{secrets.token_urlsafe(48)}",
            Permanent=True,
        )

    def person(self, customer_id: CustomerId) -> Person | None:
        """Give what Cognito keeps of a customer."""
        known = self.attributes(customer_id)
        if known is None:
            return None
        born = known.get("birthdate")  # Missing or, in some stand-ins, empty.
        return Person(
            customer_id=customer_id,
            shop_id=ShopId(known["custom:shop"]),
            name=known.get("name", ""),
            email=known["email"],
            birth_date=date.fromisoformat(born) if born else None,
        )

    def email_of(self, customer_id: CustomerId) -> str | None:
        """Give where a customer's codes go."""
        return (self.attributes(customer_id) or {}).get("email")

    def change(self, customer_id: CustomerId, changes: dict[str, str]) -> None:
        """Write attributes; Cognito takes an empty text for "remove this one"."""
        ask(
            self._client.admin_update_user_attributes,
            **self._whom(customer_id),
            UserAttributes=pairs(changes),
        )

    def delete(self, customer_id: CustomerId) -> None:
        """Remove the user, who may be gone already."""
        with suppress(Refused):
            ask(self._client.admin_delete_user, refusals=_GONE, **self._whom(customer_id))

    def begin(self, username: str) -> str | None:
        """Start a custom sign-in and give Cognito's session, None when there is no such user."""
        try:
            answer = ask(
                self._client.admin_initiate_auth,
                refusals=NO,
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
                refusals=NO_SESSION,
                **self._both,
                ChallengeName="CUSTOM_CHALLENGE",
                Session=session,
                ChallengeResponses={"USERNAME": username, "ANSWER": code},
            )
        except Refused as exc:
            raise SignInRefused from exc
        result = answer.get("AuthenticationResult")
        return tokens_of(result) if result else str(answer["Session"])


def tokens_of(result: dict[str, Any], *, refresh_token: str = "") -> Tokens:
    """Read Cognito's answer; after a refresh it may hold no refresh token."""
    return Tokens(
        access_token=result["AccessToken"],
        refresh_token=result.get("RefreshToken") or refresh_token,
        expires_in=timedelta(seconds=result["ExpiresIn"]),
    )


def pairs(attributes: dict[str, str]) -> list[dict[str, str]]:
    """Write attributes as Cognito wants them."""
    return [{"Name": name, "Value": value} for name, value in attributes.items()]
