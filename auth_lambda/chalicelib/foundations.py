"""What use cases are built of: settings, clients, keys, stores; kept for the container's life.

Each part is loaded by whoever builds it: a cold start for a guest's token loads no more than that.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from comanda import settings as environment

from .aws import ask
from .settings import AuthSettings, PostSettings, TriggerSettings

if TYPE_CHECKING:
    from comanda.identity.guest import GuestSigner

    from .applications import Applications
    from .audit import Audit
    from .codes import Codes
    from .cognito import CustomerPool
    from .forwarded import Screens
    from .herald import TopicHerald
    from .mail import Mailer
    from .passes import Passes
    from .proofs import Proofs
    from .pseudonyms import Pseudonyms
    from .purposes import Purpose
    from .registry import CustomerRegistry
    from .sessions import Sessions
    from .staff_pool import StaffPool
    from .table import Table
    from .throttle import Throttle
    from .unfinished import Unfinished
    from .wishes import Wishes

_building = threading.Lock()


def now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


@cache
def settings() -> AuthSettings:
    """Read the API's settings; raise `SettingsError`."""
    return environment.read(AuthSettings)


@cache
def trigger_settings() -> TriggerSettings:
    """Read the triggers' settings; raise `SettingsError`."""
    return environment.read(TriggerSettings)


@cache
def post_settings() -> PostSettings:
    """Read the settings of what sends codes; raise `SettingsError`."""
    return environment.read(PostSettings)


@cache
def client(service: str) -> Any:
    """Build a client whose calls, retries included, fit into a trigger's five seconds."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=1,
        read_timeout=4,
        retries={"mode": "standard", "max_attempts": 2},
        max_pool_connections=20,
    )
    # boto3's default session is shared, and not made to be used by two threads at once.
    with _building:
        return boto3.client(service, config=config)


@cache
def pseudonyms() -> Pseudonyms:
    """Build the keyed names with the key from Secrets Manager."""
    from .pseudonyms import Pseudonyms

    return Pseudonyms(bytes.fromhex(_secret("cpf-key")))


@cache
def screens() -> Screens:
    """Build what believes our screens, with the keys from Secrets Manager."""
    from .forwarded import Screens

    return Screens(lambda: _secret("console/forwarding-keys"), clock=now)


@cache
def guest_signer() -> GuestSigner:
    """Build the signer with the key from Secrets Manager."""
    from comanda.identity.guest import GuestSigner

    secret = json.loads(_secret("guest-signing-key"))
    return GuestSigner(
        issuer=settings().guest_issuer,
        key_id=secret["kid"],
        private_key_pem=secret["private_key_pem"],
    )


def customer_pool() -> CustomerPool:
    """Build the pool of customers."""
    from .cognito import CustomerPool

    return CustomerPool(
        client("cognito-idp"),
        pool_id=settings().customer_pool_id,
        client_id=settings().customer_client_id,
    )


@cache
def staff_pool() -> StaffPool:
    """Build the pool of staff."""
    from .staff_pool import StaffPool

    return StaffPool(
        client("cognito-idp"),
        pool_id=settings().staff_pool_id,
        client_id=settings().staff_client_id,
    )


@cache
def passes() -> Passes:
    """Build the passes, for the API and the trigger that redeems them."""
    from .passes import Passes

    return Passes(table(), clock=now)


@cache
def audit() -> Audit:
    """Build the record of acts."""
    from .audit import Audit

    return Audit(table(), clock=now)


def registry() -> CustomerRegistry:
    """Build the registry of customers."""
    from .registry import CustomerRegistry

    return CustomerRegistry(table())


def sessions(purpose: Purpose) -> Sessions:
    """Build the sessions of one purpose."""
    from .sessions import Sessions

    return Sessions(table(), clock=now, purpose=purpose)


def proofs(purpose: Purpose) -> Proofs:
    """Build what checks codes for sessions of one purpose."""
    from .proofs import Proofs

    return Proofs(sessions=sessions(purpose), codes=codes())


def unfinished() -> Unfinished:
    """Build the notes of what was begun."""
    from .unfinished import Unfinished

    return Unfinished(table(), clock=now)


def wishes() -> Wishes:
    """Build what seals wishes, with the key from Secrets Manager."""
    from .sealing import derive
    from .wishes import Wishes

    return Wishes(derive(bytes.fromhex(_secret("cpf-key")), "wishes"))


def codes() -> Codes:
    """Build the codes."""
    from .codes import Codes

    return Codes(table(), pseudonyms=pseudonyms(), clock=now)


def throttle() -> Throttle:
    """Build the throttle."""
    from .throttle import Throttle

    return Throttle(table(), clock=now)


def applications() -> Applications:
    """Build what seals applications, with the key from Secrets Manager."""
    from .applications import Applications
    from .sealing import derive

    return Applications(derive(bytes.fromhex(_secret("cpf-key")), "applications"))


def mailer() -> Mailer:
    """Build the mailer."""
    from .mail import Mailer

    return Mailer(client("ses"), sender=trigger_settings().email_sender)


def herald() -> TopicHerald:
    """Build what tells the other contexts."""
    from comanda.messaging.sync import SNSPublisher

    from .herald import TopicHerald

    publisher = SNSPublisher(client("sns"), settings().topic_arn)
    return TopicHerald(publisher, traces_ratio=settings().traces_ratio)


def table() -> Table:
    """Build the one table."""
    from .table import Table

    return Table(client("dynamodb"), trigger_settings().customers_table)


def _secret(name: str) -> str:
    answer = ask(
        client("secretsmanager").get_secret_value,
        SecretId=f"comanda/{trigger_settings().stage}/{name}",
    )
    return str(answer["SecretString"])
