"""From the environment to a verifier: the variables that every deployable with an API reads."""

from dataclasses import dataclass

from comanda.clock import utc_now
from comanda.identity.guest import GUEST_CLIENT
from comanda.identity.keys import Clock, Fetch, fetch_jwks
from comanda.identity.verifier import Kind, TokenVerifier, TrustedIssuer


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentitySettings:
    """Issuers and where their keys are; the two differ on a laptop, so they are two settings."""

    customer_issuer: str
    customer_jwks_url: str
    customer_client_id: str
    staff_issuer: str
    staff_jwks_url: str
    staff_client_id: str
    guest_issuer: str
    guest_jwks_url: str


def verifier_from(
    settings: IdentitySettings, *, clock: Clock = utc_now, fetch: Fetch = fetch_jwks
) -> TokenVerifier:
    """Build the verifier of guests, customers and staff; nothing is fetched yet."""
    issuers = (
        TrustedIssuer(
            issuer=settings.customer_issuer,
            jwks_url=settings.customer_jwks_url,
            client_id=settings.customer_client_id,
            kind=Kind.CUSTOMER,
        ),
        TrustedIssuer(
            issuer=settings.staff_issuer,
            jwks_url=settings.staff_jwks_url,
            client_id=settings.staff_client_id,
            kind=Kind.STAFF,
        ),
        TrustedIssuer(
            issuer=settings.guest_issuer,
            jwks_url=settings.guest_jwks_url,
            client_id=GUEST_CLIENT,
            kind=Kind.GUEST,
        ),
    )
    return TokenVerifier(issuers, clock=clock, fetch=fetch)
