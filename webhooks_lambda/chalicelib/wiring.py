"""The composition root: everything is built on first use and kept for the container's life."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from comanda import settings as environment
from comanda.ids import ShopId
from comanda.messaging.sync import SNSPublisher

from .budget import Budget
from .receiver import Receiver
from .secrets import ShopSecrets

_building = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhooksSettings:
    """What this function reads from its environment."""

    stage: str
    topic_arn: str
    shops: tuple[ShopId, ...]


@cache
def settings() -> WebhooksSettings:
    """Read the settings; raise `SettingsError`."""
    return environment.read(WebhooksSettings)


@cache
def receiver() -> Receiver:
    """Build the receiver."""
    return Receiver(
        secrets=ShopSecrets(_client("secretsmanager"), stage=settings().stage, clock=_now),
        publisher=SNSPublisher(_client("sns"), settings().topic_arn),
        budget=Budget(size=20, seconds=3.0, clock=_now),
        clock=_now,
    )


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _client(service: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=1,
        read_timeout=5,
        retries={"mode": "standard", "max_attempts": 2},
        max_pool_connections=20,
    )
    # boto3's default session is shared, and not made to be used by two threads at once.
    with _building:
        return boto3.client(service, config=config)
