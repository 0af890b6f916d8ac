"""The pool of staff: passwords, one-time passwords of an app (TOTP), groups; all within a shop."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from comanda.identity.tokens import InvalidToken, parse
from comanda.ids import ShopId

from .aws import Refused, ask
from .cognito import NO, NO_SESSION, Pool, Tokens, pairs, tokens_of
from .refusals import SignInRefused, Throttled

GROUPS = ("kitchen", "manager", "owner")
_WRONG_TOTP = ("EnableSoftwareTokenMFAException", "CodeMismatchException", *NO)
# Cognito does not say how long it wants to be left alone after wrong passwords.
_COGNITOS_PAUSE = timedelta(minutes=15)


class UsernameTaken(Exception):
    """Somebody goes by this username already."""


class PasswordRefused(Exception):
    """The new password is not what the pool's policy wants."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """Somebody who works in a shop."""

    username: str
    email: str
    groups: tuple[str, ...]
    is_enabled: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """What a member of staff types; the last two only when they are asked for."""

    username: str
    password: str
    totp: str | None = None
    new_password: str | None = None


class StaffPool(Pool):
    """Staff; the shop that Cognito has for a user must be the one at whose door they stand."""

    def sign_in(self, shop_id: ShopId, login: Login) -> Tokens:
        """Check a password and what belongs to it; raise `SignInRefused` or `PasswordRefused`."""
        try:
            answer = ask(
                self._client.admin_initiate_auth,
                refusals=(*NO, "InvalidParameterException"),
                **self._both,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": login.username, "PASSWORD": login.password},
            )
            # At most a new password and then a one-time password.
            for _ in range(2):
                if "AuthenticationResult" not in answer:
                    answer = self._respond(login, answer)
        except Refused as exc:
            raise SignInRefused from exc
        result = answer.get("AuthenticationResult")
        if not result or _shop_of(result["AccessToken"]) != shop_id:
            raise SignInRefused
        return tokens_of(result)

    def _respond(self, login: Login, asked: dict[str, Any]) -> dict[str, Any]:
        answers = {
            "NEW_PASSWORD_REQUIRED": ("NEW_PASSWORD", login.new_password),
            "SOFTWARE_TOKEN_MFA": ("SOFTWARE_TOKEN_MFA_CODE", login.totp),
        }
        name, given = answers.get(asked["ChallengeName"], ("", None))
        if given is None:
            raise SignInRefused
        try:
            return ask(
                self._client.admin_respond_to_auth_challenge,
                refusals=(*NO_SESSION, "InvalidPasswordException"),
                **self._both,
                ChallengeName=asked["ChallengeName"],
                Session=asked.get("Session", ""),
                ChallengeResponses={"USERNAME": login.username, name: given},
            )
        except Refused as exc:
            if exc.code == "InvalidPasswordException":
                raise PasswordRefused from exc
            raise

    def is_password(self, username: str, password: str) -> bool:
        """Tell whether this is the user's password; an app's code is not asked for."""
        try:
            ask(
                self._client.admin_initiate_auth,
                refusals=(*NO, "InvalidParameterException"),
                **self._both,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": username, "PASSWORD": password},
            )
        except Refused:
            return False
        return True

    def change_password(self, access_token: str, *, old: str, new: str) -> None:
        """Change one's own password; raise `SignInRefused`, `PasswordRefused` or `Throttled`."""
        try:
            ask(
                self._client.change_password,
                refusals=(*NO, "InvalidPasswordException", "LimitExceededException"),
                AccessToken=access_token,
                PreviousPassword=old,
                ProposedPassword=new,
            )
        except Refused as exc:
            raise _refusals(exc) from exc

    def set_password(self, username: str, new: str) -> None:
        """Give a user another password; raise `SignInRefused` or `PasswordRefused`."""
        try:
            ask(
                self._client.admin_set_user_password,
                refusals=(*NO, "InvalidPasswordException"),
                **self._whom(username),
                Password=new,
                Permanent=True,
            )
        except Refused as exc:
            raise _refusals(exc) from exc

    def invite(self, shop_id: ShopId, member: Member, *, password: str) -> None:
        """Make a user whose password is good for setting another; raise `UsernameTaken`."""
        attributes = {
            "email": member.email,
            "email_verified": "true",
            "custom:shop": str(shop_id),
        }
        try:
            ask(
                self._client.admin_create_user,
                refusals=("UsernameExistsException",),
                **self._whom(member.username),
                MessageAction="SUPPRESS",
                TemporaryPassword=password,
                UserAttributes=pairs(attributes),
            )
        except Refused as exc:
            raise UsernameTaken from exc
        self.set_groups(member.username, before=(), after=member.groups)

    def find(self, shop_id: ShopId, username: str) -> Member | None:
        """Give a member of this shop's staff."""
        try:
            found = ask(
                self._client.admin_get_user,
                # Cognito calls what could be nobody's username an invalid parameter.
                refusals=("UserNotFoundException", "InvalidParameterException"),
                **self._whom(username),
            )
        except Refused:
            return None
        attributes = {it["Name"]: it["Value"] for it in found["UserAttributes"]}
        if attributes.get("custom:shop") != shop_id:
            return None
        groups = ask(self._client.admin_list_groups_for_user, **self._whom(username))["Groups"]
        return Member(
            username=username,
            email=attributes.get("email", ""),
            groups=tuple(sorted(group["GroupName"] for group in groups)),
            is_enabled=bool(found["Enabled"]),
        )

    def members(self, shop_id: ShopId) -> list[Member]:
        """Give all staff of a shop; it reads the whole pool, for Cognito cannot look by shop."""
        names: list[str] = []
        start: dict[str, Any] = {}
        while True:
            page = ask(self._client.list_users, UserPoolId=self._pool_id, Limit=60, **start)
            for user in page["Users"]:
                attributes = {it["Name"]: it["Value"] for it in user["Attributes"]}
                if attributes.get("custom:shop") == shop_id:
                    names.append(user["Username"])
            if not page.get("PaginationToken"):
                break
            start = {"PaginationToken": page["PaginationToken"]}
        found = (self.find(shop_id, name) for name in sorted(names))
        return [member for member in found if member is not None]

    def set_groups(self, username: str, *, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        """Put a user into these groups and no others."""
        whom = self._whom(username)
        for group in sorted(set(after) - set(before)):
            ask(self._client.admin_add_user_to_group, **whom, GroupName=group)
        for group in sorted(set(before) - set(after)):
            ask(self._client.admin_remove_user_from_group, **whom, GroupName=group)

    def set_enabled(self, username: str, *, is_enabled: bool) -> None:
        """Let a user in again, or no more."""
        method = self._client.admin_enable_user if is_enabled else self._client.admin_disable_user
        ask(method, **self._whom(username))

    def begin_totp(self, access_token: str) -> str:
        """Give a new secret for an app on the owner's phone; raise `SignInRefused`."""
        try:
            answer = ask(
                self._client.associate_software_token, refusals=NO, AccessToken=access_token
            )
        except Refused as exc:
            raise SignInRefused from exc
        return str(answer["SecretCode"])

    def finish_totp(self, access_token: str, username: str, *, code: str) -> None:
        """Ask for the app's code from now on, if this one is right; raise `SignInRefused`."""
        try:
            ask(
                self._client.verify_software_token,
                refusals=_WRONG_TOTP,
                AccessToken=access_token,
                UserCode=code,
            )
        except Refused as exc:
            raise SignInRefused from exc
        self.prefer_totp(username, is_wanted=True)

    def prefer_totp(self, username: str, *, is_wanted: bool) -> None:
        """Ask for the app's code at each sign-in, or not."""
        ask(
            self._client.admin_set_user_mfa_preference,
            **self._whom(username),
            SoftwareTokenMfaSettings={"Enabled": is_wanted, "PreferredMfa": is_wanted},
        )


def _refusals(refused: Refused) -> Exception:
    if refused.code == "InvalidPasswordException":
        return PasswordRefused()
    if refused.code == "LimitExceededException":
        return Throttled(_COGNITOS_PAUSE)
    return SignInRefused()


def _shop_of(access_token: str) -> object:
    # It comes straight from Cognito, so its claims need no second proof here.
    try:
        return parse(access_token).claims.get("shop")
    except InvalidToken:
        return None
