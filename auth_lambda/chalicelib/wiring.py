"""The composition root: each use case, built of the foundations on first use and then kept."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from comanda import settings as environment

from .foundations import (
    applications,
    audit,
    client,
    customer_pool,
    guest_signer,
    herald,
    mailer,
    now,
    passes,
    proofs,
    pseudonyms,
    registry,
    screens,
    sessions,
    settings,
    staff_pool,
    table,
    throttle,
    unfinished,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comanda.identity.verifier import TokenVerifier

    from .cpf_claims import CpfDesk
    from .erasure import Erasure
    from .export import Export
    from .guests import GuestDesk
    from .profiles import Profiles
    from .sign_in import SignIn, StaffSignIn
    from .sign_up import SignUp
    from .staff import StaffDesk
    from .visits import Visits

__all__ = [
    "audit",
    "cpf_desk",
    "deliver",
    "erasure",
    "export",
    "finish",
    "guest_desk",
    "guest_signer",
    "now",
    "passes",
    "post_function",
    "profiles",
    "screens",
    "settings",
    "sign_in",
    "staff_desk",
    "staff_pool",
    "staff_sign_in",
    "verifier",
    "visits",
]


@cache
def verifier() -> TokenVerifier:
    """Build the verifier; the guests' keys are our own, and are not fetched from ourselves."""
    from comanda.identity.keys import fetch_jwks
    from comanda.identity.settings import IdentitySettings, verifier_from

    identity = environment.read(IdentitySettings)

    def fetch(url: str) -> Mapping[str, Any]:
        return guest_signer().jwks() if url == identity.guest_jwks_url else fetch_jwks(url)

    return verifier_from(identity, fetch=fetch)


@cache
def sign_in() -> SignIn:
    """Build the sign-in of customers."""
    from .courier import Courier
    from .purposes import Purpose
    from .sign_in import SignIn

    return SignIn(
        applications=applications(),
        sessions=sessions(Purpose.SIGN_IN),
        proofs=proofs(Purpose.SIGN_IN),
        courier=Courier(client("lambda"), function=post_function()),
        throttle=throttle(),
        pseudonyms=pseudonyms(),
        sign_up=_sign_up(),
        visits=visits(),
        registry=registry(),
        clock=now,
    )


@cache
def staff_sign_in() -> StaffSignIn:
    """Build the sign-in of staff."""
    from .sign_in import StaffSignIn

    return StaffSignIn(
        pool=staff_pool(), visits=visits(), throttle=throttle(), pseudonyms=pseudonyms()
    )


@cache
def visits() -> Visits:
    """Build what gives and renews tokens."""
    from .families import Families
    from .visits import Visits

    return Visits(
        customers=customer_pool(),
        staff=staff_pool(),
        passes=passes(),
        families=Families(table(), clock=now),
        clock=now,
    )


@cache
def guest_desk() -> GuestDesk:
    """Build what lets guests in."""
    from .guests import GuestDesk

    return GuestDesk(
        table=table(),
        signer=guest_signer,
        throttle=throttle(),
        pseudonyms=pseudonyms(),
        clock=now,
        new=uuid4,
        by_address=settings().guests_per_address,
    )


@cache
def profiles() -> Profiles:
    """Build what shows and edits profiles."""
    from .profiles import Profiles

    return Profiles(registry=registry(), pool=customer_pool(), clock=now)


@cache
def cpf_desk() -> CpfDesk:
    """Build what takes claims to a CPF."""
    from .cpf_claims import CpfDesk

    return CpfDesk(registry=registry(), pseudonyms=pseudonyms(), throttle=throttle())


@cache
def export() -> Export:
    """Build the export."""
    from .export import Export, HttpOwnOrders

    return Export(profiles=profiles(), orders=HttpOwnOrders(settings().orders_url), clock=now)


@cache
def erasure() -> Erasure:
    """Build the erasure."""
    from .erasure import Erasure

    return Erasure(
        table=table(),
        registry=registry(),
        pool=customer_pool(),
        herald=herald(),
        audit=audit(),
        unfinished=unfinished(),
        clock=now,
    )


@cache
def staff_desk() -> StaffDesk:
    """Build what owners do with their staff."""
    from .families import Families
    from .staff import StaffDesk

    return StaffDesk(
        pool=staff_pool(),
        registry=registry(),
        families=Families(table(), clock=now),
        audit=audit(),
        mailer=mailer(),
        pseudonyms=pseudonyms(),
    )


def post_function() -> str:
    """Name the function that sends codes."""
    return f"auth_lambda-{settings().stage}-deliver_code"


def deliver(event: dict[str, Any]) -> None:
    """Send the code that a letter asks for."""
    from .changes import post_room
    from .courier import read_letter

    letter = read_letter(event)
    post_room(letter.purpose).deliver(letter)


def finish() -> int:
    """Finish what broke half-way, and give how much that was."""
    from .changes import finisher

    return finisher().finish_all()


def _sign_up() -> SignUp:
    from .sign_up import SignUp

    return SignUp(
        registry=registry(),
        pool=customer_pool(),
        herald=herald(),
        pseudonyms=pseudonyms(),
        clock=now,
        new=uuid4,
    )
