"""Who of the staff looks: signed in once, renewed before the token ends, kept in a sealed cookie.

The session is the cookie, so any process of the console serves any request. Refresh tokens are good
once: requests that arrive together share one renewal, and its outcome is kept for a moment, for
browsers send several requests before they have the new cookie.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from comanda.identity.tokens import InvalidToken, parse
from comanda.ids import ShopId
from console.screens.contexts import Call, Context, Contexts, Refused
from console.screens.sealing import Sealer

# A shift, and not more: the cookie of a forgotten tablet ends by itself.
LONGEST_VISIT = timedelta(hours=14)
_RENEW_BEFORE = timedelta(minutes=2)
_KEPT = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A member of staff in one shop; the tokens are in no `repr`."""

    shop: ShopId
    username: str
    groups: tuple[str, ...]
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    ends_at: float
    csrf: str = field(repr=False)

    def may(self, *groups: str) -> bool:
        """Tell whether one of these groups is theirs."""
        return bool(set(groups) & set(self.groups))


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """What somebody typed."""

    username: str
    password: str = field(repr=False)
    totp: str = ""
    new_password: str = field(default="", repr=False)


class Sessions:
    """Sign staff in and out, and keep them in."""

    def __init__(
        self, contexts: Contexts, *, sealer: Sealer, clock: Callable[[], datetime]
    ) -> None:
        self._contexts = contexts
        self._sealer = sealer
        self._clock = clock
        self._renewals: dict[str, asyncio.Task[Session]] = {}

    def now(self) -> datetime:
        """Tell the time by which sessions end."""
        return self._clock()

    async def sign_in(self, shop: ShopId, login: Login) -> Session:
        """Trade a password for a session; raise `Refused` or `OutOfReach`."""
        body = {"username": login.username, "password": login.password}
        if login.totp:
            body["totp"] = login.totp
        if login.new_password:
            body["new_password"] = login.new_password
        answer = await self._contexts.read(
            Call(method="POST", context=Context.AUTH, shop=shop, path="/staff/tokens", body=body)
        )
        token = str(answer["access_token"])
        return Session(
            shop=shop,
            username=login.username,
            groups=_groups(token),
            access_token=token,
            refresh_token=str(answer["refresh_token"] or ""),
            ends_at=self._clock().timestamp() + float(answer["expires_in"]),
            csrf=secrets.token_urlsafe(24),
        )

    async def sign_out(self, session: Session) -> None:
        """Give the refresh token back; raise `Refused` or `OutOfReach`."""
        body = {"refresh_token": session.refresh_token}
        path = "/tokens/revoke"
        await self._contexts.ask(
            Call(method="POST", context=Context.AUTH, shop=session.shop, path=path, body=body)
        )

    def cookie(self, session: Session) -> str:
        """Seal a session."""
        return self._sealer.seal(asdict(session))

    def opened(self, cookie: str, *, shop: ShopId) -> Session | None:
        """Open a cookie of this shop; None when it is none of ours, or too old."""
        content = self._sealer.open(cookie, age=LONGEST_VISIT)
        if content is None or content.get("shop") != shop:
            return None
        try:
            return Session(**{**content, "shop": shop, "groups": tuple(content["groups"])})
        except (TypeError, KeyError):
            # Another release sealed it, with other fields: its owner signs in again.
            return None

    async def fresh(self, session: Session) -> Session:
        """Give the session with a token that is good; raise `Refused` or `OutOfReach`."""
        left = session.ends_at - self._clock().timestamp()
        if left > _RENEW_BEFORE.total_seconds():
            return session
        known = self._renewals.get(session.refresh_token)
        if known is None:
            known = asyncio.create_task(self._renewed(session))
            self._renewals[session.refresh_token] = known
            loop = asyncio.get_running_loop()
            loop.call_later(_KEPT, self._renewals.pop, session.refresh_token, None)
        return await asyncio.shield(known)

    async def _renewed(self, session: Session) -> Session:
        body = {"refresh_token": session.refresh_token}
        path = "/tokens/refresh"
        answer = await self._contexts.read(
            Call(method="POST", context=Context.AUTH, shop=session.shop, path=path, body=body)
        )
        token = str(answer["access_token"])
        return replace(
            session,
            groups=_groups(token),
            access_token=token,
            refresh_token=str(answer["refresh_token"] or session.refresh_token),
            ends_at=self._clock().timestamp() + float(answer["expires_in"]),
        )


def _groups(token: str) -> tuple[str, ...]:
    # It comes straight from auth over a private address, and each API verifies it again.
    try:
        groups = parse(token).claims.get("cognito:groups", [])
    except InvalidToken as exc:
        raise Refused(401, {"title": "no token of ours"}) from exc
    return tuple(str(group) for group in groups)
