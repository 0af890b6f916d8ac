"""The composition root: everything is built on first use and kept for the container's life."""

import json
import threading
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

from comanda import settings as environment
from comanda.identity.guest import GuestSigner
from comanda.messaging.sync import SNSPublisher

from .aws import ask
from .codes import Codes
from .cognito import CustomerPool, StaffPool
from .mail import Mailer
from .pseudonyms import Pseudonyms
from .registry import CustomerRegistry
from .sessions import Sessions
from .settings import AuthSettings, TriggerSettings
from .sign_in import SignIn, StaffSignIn
from .sign_up import SignUp
from .table import Table
from .throttle import Throttle

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
    return Pseudonyms(bytes.fromhex(_secret("cpf-key")))


@cache
def guest_signer() -> GuestSigner:
    """Build the signer with the key from Secrets Manager."""
    secret = json.loads(_secret("guest-signing-key"))
    return GuestSigner(
        issuer=settings().guest_issuer,
        key_id=secret["kid"],
        private_key_pem=secret["private_key_pem"],
    )


@cache
def sign_up() -> SignUp:
    """Build the sign-up."""
    return SignUp(
        registry=CustomerRegistry(_table()),
        pool=_customer_pool(),
        publisher=SNSPublisher(client("sns"), settings().topic_arn),
        pseudonyms=pseudonyms(),
        clock=now,
        new=uuid4,
    )


@cache
def sign_in() -> SignIn:
    """Build the sign-in of customers."""
    return SignIn(
        registry=CustomerRegistry(_table()),
        pool=_customer_pool(),
        sessions=Sessions(_table(), clock=now),
        throttle=Throttle(_table(), clock=now),
        pseudonyms=pseudonyms(),
        new=uuid4,
    )


@cache
def staff_sign_in() -> StaffSignIn:
    """Build the sign-in of staff."""
    pool = StaffPool(
        client("cognito-idp"),
        pool_id=settings().staff_pool_id,
        client_id=settings().staff_client_id,
    )
    return StaffSignIn(pool=pool, throttle=Throttle(_table(), clock=now), pseudonyms=pseudonyms())


@cache
def codes() -> Codes:
    """Build the codes, for the triggers."""
    return Codes(_table(), pseudonyms=pseudonyms(), clock=now)


@cache
def mailer() -> Mailer:
    """Build the mailer, for the triggers."""
    return Mailer(client("ses"), sender=trigger_settings().email_sender)


def _customer_pool() -> CustomerPool:
    return CustomerPool(
        client("cognito-idp"),
        pool_id=settings().customer_pool_id,
        client_id=settings().customer_client_id,
    )


def _table() -> Table:
    return Table(client("dynamodb"), trigger_settings().customers_table)


def _secret(name: str) -> str:
    answer = ask(
        client("secretsmanager").get_secret_value,
        SecretId=f"comanda/{trigger_settings().stage}/{name}",
    )
    return str(answer["SecretString"])
