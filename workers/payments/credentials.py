"""Each shop's own account at Mercado Pago, read from Secrets Manager and kept for a while."""

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from comanda.ids import ShopId
from workers.payments.provider import ProviderUnavailable
from workers.runtime.keyed import KeyedLocks

LIFETIME_SECONDS = 300.0
# A token that was refused is read anew, but an account that stays refused is not asked all day.
REFRESH_PAUSE_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Who the shop is at the provider; the token is in no `repr`."""

    access_token: str = field(repr=False)
    user_id: str


SecretReader = Callable[[str], Awaitable[str]]


class ShopCredentials:
    """Read credentials once per shop and lifetime; `renew` when the provider refuses them."""

    def __init__(
        self,
        read_secret: SecretReader,
        *,
        stage: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_secret = read_secret
        self._stage = stage
        self._monotonic = monotonic
        self._known: dict[ShopId, tuple[Credentials, float]] = {}
        self._locks = KeyedLocks()

    async def of(self, shop_id: ShopId) -> Credentials:
        """Give a shop's credentials; raise `ProviderUnavailable` while they cannot be read."""
        return await self._younger_than(LIFETIME_SECONDS, shop_id)

    async def renew(self, shop_id: ShopId) -> Credentials:
        """Give what the secret says now, unless it was read a moment ago."""
        return await self._younger_than(REFRESH_PAUSE_SECONDS, shop_id)

    async def _younger_than(self, seconds: float, shop_id: ShopId) -> Credentials:
        if (fresh := self._fresh(seconds, shop_id)) is not None:
            return fresh
        async with self._locks.hold(shop_id):
            # Somebody else may have read it while we waited.
            if (fresh := self._fresh(seconds, shop_id)) is not None:
                return fresh
            text = await self._read_secret(f"comanda/{self._stage}/{shop_id}/mercadopago")
            credentials = _parse(text, shop_id=shop_id)
            self._known[shop_id] = (credentials, self._monotonic())
            return credentials

    def _fresh(self, seconds: float, shop_id: ShopId) -> Credentials | None:
        known = self._known.get(shop_id)
        is_fresh = known is not None and self._monotonic() - known[1] < seconds
        return known[0] if known is not None and is_fresh else None


def secrets_manager_reader(client: Any) -> SecretReader:
    """Read secrets through an aiobotocore client."""
    from botocore.exceptions import BotoCoreError, ClientError

    async def read_secret(name: str) -> str:
        try:
            answer = await client.get_secret_value(SecretId=name)
        except (BotoCoreError, ClientError, TimeoutError, OSError) as exc:
            raise ProviderUnavailable(f"cannot read {name}: {type(exc).__name__}") from exc
        return str(answer["SecretString"])

    return read_secret


def _parse(text: str, *, shop_id: ShopId) -> Credentials:
    try:
        content = json.loads(text)
        token, user_id = str(content["access_token"]), str(content["user_id"])
    except (ValueError, KeyError, TypeError):
        # The text is not chained: its context would carry the secret into a log.
        raise ProviderUnavailable(f"the credentials of {shop_id} are malformed") from None
    if not token or not user_id:
        raise ProviderUnavailable(f"the credentials of {shop_id} are empty")
    return Credentials(access_token=token, user_id=user_id)
