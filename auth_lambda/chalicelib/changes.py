"""The composition root of what changes accounts, and of what finishes such changes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from . import wiring
from .foundations import (
    applications,
    audit,
    client,
    codes,
    customer_pool,
    herald,
    mailer,
    now,
    post_settings,
    proofs,
    pseudonyms,
    registry,
    sessions,
    staff_pool,
    table,
    throttle,
    unfinished,
    wishes,
)
from .purposes import Purpose

if TYPE_CHECKING:
    from .addressees import Addressees
    from .email_changes import EmailChanges
    from .finishing import Finisher
    from .post import PostRoom
    from .staff_passwords import StaffPasswords


@cache
def email_changes() -> EmailChanges:
    """Build the change of a customer's e-mail."""
    from .courier import Courier
    from .email_changes import EmailChanges

    return EmailChanges(
        wishes=wishes(),
        sessions=sessions(Purpose.EMAIL),
        proofs=proofs(Purpose.EMAIL),
        courier=Courier(client("lambda"), function=wiring.post_function()),
        throttle=throttle(),
        pseudonyms=pseudonyms(),
        registry=registry(),
        pool=customer_pool(),
        visits=wiring.visits(),
        unfinished=unfinished(),
        herald=herald(),
        teller=mailer(),
        clock=now,
    )


@cache
def staff_passwords() -> StaffPasswords:
    """Build what changes passwords of staff."""
    from .courier import Courier
    from .families import Families
    from .staff_passwords import StaffPasswords

    return StaffPasswords(
        pool=staff_pool(),
        wishes=wishes(),
        sessions=sessions(Purpose.PASSWORD),
        proofs=proofs(Purpose.PASSWORD),
        courier=Courier(client("lambda"), function=wiring.post_function()),
        throttle=throttle(),
        pseudonyms=pseudonyms(),
        families=Families(table(), clock=now),
        audit=audit(),
        mailer=mailer(),
    )


@cache
def finisher() -> Finisher:
    """Build what finishes what broke half-way."""
    from .finishing import Finisher
    from .unfinished import Errand, Note

    def erase(note: Note) -> None:
        wiring.erasure().erase(note.shop_id, note.customer_id)

    def echo(note: Note) -> None:
        wiring.erasure().echo(note.shop_id, note.customer_id)

    errands = {Errand.ERASURE: erase, Errand.ECHO: echo, Errand.EMAIL: email_changes().finish}
    return Finisher(unfinished=unfinished(), errands=errands)


@cache
def post_room(purpose: Purpose) -> PostRoom:
    """Build what sends the codes of one purpose."""
    from .post import PostRoom

    return PostRoom(
        addressees=_addressees(purpose),
        sessions=sessions(purpose),
        codes=codes(),
        throttle=throttle(),
        mailer=mailer(),
    )


def _addressees(purpose: Purpose) -> Addressees:
    from .addressees import WhoForgot, WhoMoves, WhoSignsIn
    from .cognito import CustomerPool
    from .staff_pool import StaffPool

    if purpose is Purpose.EMAIL:
        return WhoMoves(wishes=wishes())
    cognito = client("cognito-idp")
    if purpose is Purpose.PASSWORD:
        pool_id = post_settings().staff_pool_id
        return WhoForgot(wishes=wishes(), pool=StaffPool(cognito, pool_id=pool_id, client_id=""))
    pool = CustomerPool(cognito, pool_id=post_settings().customer_pool_id, client_id="")
    return WhoSignsIn(registry=registry(), applications=applications(), pool=pool, clock=now)
