"""The webhook secrets of each shop, from Secrets Manager, kept for five minutes."""

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from comanda.ids import ShopId

from .aws import AWSClient, AWSRefused, AWSUnavailable

log = logging.getLogger("webhooks_lambda")
KEPT_FOR = timedelta(minutes=5)
# Anybody can make up names of shops; each costs a read, and none may cost memory for good.
MOST_KEPT = 500
# A flood of bad signatures must not become a flood of calls to Secrets Manager.
REREAD_AFTER = timedelta(seconds=30)
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "secretsmanager.GetSecretValue",
}


class SecretsUnavailable(Exception):
    """Secrets Manager did not answer; the notification must come again."""


class ShopSecrets:
    """Read and keep secrets."""

    def __init__(self, client: AWSClient, *, stage: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._stage = stage
        self._clock = clock
        self._kept: dict[ShopId, tuple[datetime, tuple[str, ...]]] = {}

    def of(self, shop_id: ShopId) -> tuple[str, ...]:
        """Give the secrets, newest first, or none at all; raise `SecretsUnavailable`."""
        return self._within(shop_id, KEPT_FOR)

    def reread(self, shop_id: ShopId) -> tuple[str, ...]:
        """Give the secrets, read anew unless that was done a moment ago."""
        return self._within(shop_id, REREAD_AFTER)

    def _within(self, shop_id: ShopId, age: timedelta) -> tuple[str, ...]:
        now = self._clock()
        at, secrets = self._kept.get(shop_id, (None, ()))
        if at is not None and now - at < age:
            return secrets
        try:
            fresh = self._read(shop_id)
        except SecretsUnavailable:
            # Old secrets verify as well as ever while Secrets Manager is down.
            if not secrets:
                raise
            log.warning("old secrets used", extra={"shop": shop_id})
            fresh = secrets
        self._kept.pop(shop_id, None)
        self._kept[shop_id] = (now, fresh)
        if len(self._kept) > MOST_KEPT:
            self._forget_one()
        return fresh

    def _forget_one(self) -> None:
        # A name without secrets goes first, so that made-up names push no shop out. Threads of one
        # container may forget the same name.
        kept = list(self._kept.items())
        oldest = next((shop for shop, (_, secrets) in kept if not secrets), kept[0][0])
        self._kept.pop(oldest, None)

    def _read(self, shop_id: ShopId) -> tuple[str, ...]:
        name = f"comanda/{self._stage}/{shop_id}/mercadopago"
        try:
            answer = self._client.post(json.dumps({"SecretId": name}).encode(), _HEADERS)
        except AWSRefused as exc:
            if exc.code == "ResourceNotFoundException":
                return ()
            raise SecretsUnavailable(exc.code) from exc
        except AWSUnavailable as exc:
            raise SecretsUnavailable(str(exc)) from exc
        return _secrets_in(answer, shop_id)


def _secrets_in(answer: bytes, shop_id: ShopId) -> tuple[str, ...]:
    # Whatever is no list of texts is no secret, and without one every notification is refused.
    try:
        listed = json.loads(json.loads(answer)["SecretString"])["webhook_secrets"]
    except (ValueError, TypeError, KeyError):
        log.exception("secret has no known form", extra={"shop": shop_id})
        return ()
    if not isinstance(listed, list):
        return ()
    return tuple(secret for secret in listed if isinstance(secret, str))
