"""The webhook secrets of each shop, from Secrets Manager, kept for five minutes."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from comanda.ids import ShopId

KEPT_FOR = timedelta(minutes=5)
# A flood of bad signatures must not become a flood of calls to Secrets Manager.
REREAD_AFTER = timedelta(seconds=30)


class SecretsUnavailable(Exception):
    """Secrets Manager did not answer; the notification must come again."""


class UnknownShop(Exception):
    """No such shop has a secret here."""


class ShopSecrets:
    """Read and keep secrets."""

    def __init__(self, client: Any, *, stage: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._stage = stage
        self._clock = clock
        self._kept: dict[ShopId, tuple[datetime, tuple[str, ...]]] = {}

    def of(self, shop_id: ShopId) -> tuple[str, ...]:
        """Give the secrets, newest first; raise `UnknownShop` or `SecretsUnavailable`."""
        return self._within(shop_id, KEPT_FOR)

    def reread(self, shop_id: ShopId) -> tuple[str, ...]:
        """Give the secrets, read anew unless that was done a moment ago."""
        return self._within(shop_id, REREAD_AFTER)

    def _within(self, shop_id: ShopId, age: timedelta) -> tuple[str, ...]:
        now = self._clock()
        at, secrets = self._kept.get(shop_id, (None, ()))
        if at is not None and now - at < age:
            return secrets
        fresh = self._read(shop_id)
        self._kept[shop_id] = (now, fresh)
        return fresh

    def _read(self, shop_id: ShopId) -> tuple[str, ...]:
        # botocore is heavy: it is loaded with the first client, never when the app is imported.
        from botocore.exceptions import BotoCoreError, ClientError

        name = f"comanda/{self._stage}/{shop_id}/mercadopago"
        try:
            answer = self._client.get_secret_value(SecretId=name)
        except ClientError as exc:
            if exc.response["Error"]["Code"] == "ResourceNotFoundException":
                raise UnknownShop(shop_id) from exc
            raise SecretsUnavailable(exc.response["Error"]["Code"]) from exc
        except (BotoCoreError, OSError) as exc:
            raise SecretsUnavailable(type(exc).__name__) from exc
        return tuple(json.loads(answer["SecretString"])["webhook_secrets"])
