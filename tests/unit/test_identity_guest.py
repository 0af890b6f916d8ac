"""Guests' tokens: signed by us, verified by the same verifier as everybody's."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from comanda.identity.guest import GuestSigner
from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.identity.verifier import Identity, InvalidToken, Kind, TokenVerifier
from comanda.ids import ShopId

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SHOP = ShopId("lanchonete-da-ana")
ISSUER = "https://guests.test"


def new_signer() -> GuestSigner:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return GuestSigner(issuer=ISSUER, key_id="guest-1", private_key_pem=text)


def verifier_for(signer: GuestSigner, *, now: datetime) -> TokenVerifier:
    settings = IdentitySettings(
        customer_issuer="https://customers.test",
        customer_jwks_url="https://customers.test/jwks",
        customer_client_id="web",
        staff_issuer="https://staff.test",
        staff_jwks_url="https://staff.test/jwks",
        staff_client_id="desk",
        guest_issuer=ISSUER,
        guest_jwks_url=f"{ISSUER}/jwks",
    )
    return verifier_from(settings, clock=lambda: now, fetch=lambda _: signer.jwks())


def test_a_guest_token_verifies_with_the_published_key() -> None:
    signer = new_signer()

    token = signer.sign(SHOP, kiosk="k1", now=NOW, new=lambda: UUID(int=1, version=4))

    assert token.expires_in == timedelta(hours=2)
    assert verifier_for(signer, now=NOW).verify(token.access_token) == Identity(
        subject=token.subject, shop_id=SHOP, kind=Kind.GUEST, groups=frozenset()
    )
    assert token.subject == f"guest:{UUID(int=1, version=4)}"


def test_a_guest_token_ends_with_the_visit() -> None:
    signer = new_signer()
    token = signer.sign(SHOP, kiosk="k1", now=NOW, new=uuid4)

    with pytest.raises(InvalidToken, match="expired"):
        verifier_for(signer, now=NOW + timedelta(hours=2, minutes=1)).verify(token.access_token)


def test_a_guest_token_of_another_key_is_refused() -> None:
    token = new_signer().sign(SHOP, kiosk="k1", now=NOW, new=uuid4)

    with pytest.raises(InvalidToken, match="signature"):
        verifier_for(new_signer(), now=NOW).verify(token.access_token)


def test_the_published_key_holds_nothing_private() -> None:
    (key,) = new_signer().jwks()["keys"]

    assert key.keys() == {"kty", "n", "e", "alg", "kid", "use"}
