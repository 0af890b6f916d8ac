"""The composition root: everything is built on first use and kept for the container's life."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from comanda import settings as environment
from comanda.ids import ShopId

from .aws import AWSClient, service_of
from .budget import Budget
from .receiver import Receiver
from .secrets import ShopSecrets
from .topic import Topic


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhooksSettings:
    """What this function reads from its environment."""

    stage: str
    topic_arn: str
    shops: tuple[ShopId, ...]
    traces_ratio: float = 0.0


@cache
def settings() -> WebhooksSettings:
    """Read the settings; raise `SettingsError`."""
    return environment.read(WebhooksSettings)


@cache
def receiver() -> Receiver:
    """Build the receiver."""
    return Receiver(
        secrets=ShopSecrets(_client("secretsmanager"), stage=settings().stage, clock=_now),
        publisher=Topic(_client("sns"), settings().topic_arn),
        budget=Budget(size=20, seconds=3.0, clock=_now),
        clock=_now,
        traces_ratio=settings().traces_ratio,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _client(service: str) -> AWSClient:
    return AWSClient(service_of(service, os.environ), clock=_now)
