"""Invent the secrets of a run once, keep them in its folder, and put them into Secrets Manager."""

import asyncio
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from comanda.ids import ShopId
from local.provision.context import ProvisionContext

Secrets = Mapping[str, str]


def run_secrets(file: Path, *, stage: str, shops: tuple[ShopId, ...]) -> Secrets:
    """Give all secrets by name, inventing what the file does not hold yet."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    if _forwarding(stage) in known:
        return known
    # A run that an older release began keeps those that it had.
    invented = {**_invent(stage=stage, shops=shops), **known}
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_suffix(".half")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(invented, out)
    half.rename(file)
    return invented


def forwarding_keys(known: Secrets, *, stage: str) -> str:
    """Give the keys by which the screens tell auth whose browser asks."""
    return str(json.loads(known[_forwarding(stage)])["keys"])


def bank_configuration(
    known: Secrets, *, stage: str, shops: tuple[ShopId, ...], edge_url: str
) -> dict[str, object]:
    """Give what the Mercado Pago simulator is told: the same secrets, and where to call."""
    applications = []
    for number, shop in enumerate(shops, start=1):
        account = json.loads(known[_account(stage, shop)])
        applications.append(
            {
                "shop": shop,
                "access_token": account["access_token"],
                "user_id": account["user_id"],
                "application_id": f"{7_000_000_000_000_000 + number}",
                "webhook_secrets": account["webhook_secrets"],
                "webhook_url": f"{edge_url}/webhooks/mercadopago/{shop}",
            }
        )
    return {"applications": applications}


async def provision_secrets(context: ProvisionContext, *, known: Secrets) -> None:
    """Store each secret that is not there yet."""
    from aiobotocore.session import get_session

    options = context.client_options("secretsmanager")
    async with get_session().create_client("secretsmanager", **options) as manager:

        async def store(name: str, text: str) -> None:
            with suppress(manager.exceptions.ResourceExistsException):
                await manager.create_secret(Name=name, SecretString=text)

        await asyncio.gather(*(store(name, text) for name, text in known.items()))


def _invent(*, stage: str, shops: tuple[ShopId, ...]) -> dict[str, str]:
    guest_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = guest_key.private_bytes(
        encoding=serialization.Encoding.PEM,
        format=serialization.PrivateFormat.PKCS8,
        encryption_algorithm=serialization.NoEncryption(),
    )
    invented = {
        f"comanda/{stage}/cpf-key": secrets.token_hex(32),
        f"comanda/{stage}/guest-signing-key": json.dumps(
            {"kid": f"guest-{secrets.token_hex(4)}", "private_key_pem": pem.decode()}
        ),
        _forwarding(stage): json.dumps({"keys": secrets.token_hex(32)}),
    }
    for shop in shops:
        user = str(secrets.randbelow(900_000_000) + 100_000_000)
        account = {
            "access_token": f"APP_USR-{secrets.token_hex(24)}-{user}",
            "user_id": user,
            "webhook_secrets": [secrets.token_hex(32)],
        }
        invented[_account(stage, shop)] = json.dumps(account)
    return invented


def _forwarding(stage: str) -> str:
    return f"comanda/{stage}/console/forwarding-keys"


def _account(stage: str, shop: ShopId) -> str:
    return f"comanda/{stage}/{shop}/mercadopago"
