"""Passwords of staff: changed by who knows it, set anew by who reads the mailbox."""

import logging
from dataclasses import dataclass

from comanda.ids import ShopId

from .audit import Act, Audit
from .aws import Unavailable
from .courier import Courier, Letter
from .families import Families, Owner, OwnerKind
from .mail import Mailer
from .proofs import Proofs
from .pseudonyms import Pseudonyms
from .purposes import Purpose
from .refusals import SignInRefused
from .sessions import Sessions, reference_of
from .staff_pool import StaffPool
from .throttle import (
    ANSWERS_BY_ADDRESS,
    CODES_BY_ADDRESS,
    CODES_IN_ALL,
    STAFF_BY_ADDRESS,
    STAFF_SIGN_INS,
    Limit,
    Throttle,
)
from .wishes import Wishes

log = logging.getLogger("auth_lambda")
FORGOTTEN = Limit(purpose="FORGOTTEN", count=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A member of staff who has shown their token, and where they sit."""

    shop_id: ShopId
    username: str
    token: str
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffPasswords:
    """Change passwords, and take away the second factor; an app's code survives a new password."""

    pool: StaffPool
    wishes: Wishes
    sessions: Sessions
    proofs: Proofs
    courier: Courier
    throttle: Throttle
    pseudonyms: Pseudonyms
    families: Families
    audit: Audit
    mailer: Mailer

    def ask(self, shop_id: ShopId, username: str, *, address: str) -> str:
        """Begin to set a forgotten password; give a session whoever it is. Raise `Throttled`.

        Whether there is such a username is found out by `addressees.py`, where nobody waits.
        """
        name, place = self.pseudonyms.of_staff(username), self.pseudonyms.of_address(address)
        self.throttle.admit(FORGOTTEN, shop_id=shop_id, name=f"{name}#{place}")
        self.throttle.admit(CODES_BY_ADDRESS, shop_id=shop_id, name=place)
        self.throttle.admit(CODES_IN_ALL, shop_id=shop_id, name="ALL")
        token = self.sessions.token()
        reference = reference_of(token)
        sealed = self.wishes.seal_username(username, session=reference)
        self.sessions.open(shop_id, token, application=sealed)
        self.proofs.expect(reference)
        self.courier.take(
            Letter(
                shop_id=shop_id,
                session=reference,
                name=name,
                place=place,
                purpose=Purpose.PASSWORD,
            )
        )
        return token

    def reset(self, shop_id: ShopId, *, session: str, code: str, new: str, address: str) -> None:
        """Set the password of who got the code; raise `SignInRefused` or `PasswordRefused`."""
        place = self.pseudonyms.of_address(address)
        self.throttle.admit(ANSWERS_BY_ADDRESS, shop_id=shop_id, name=place)
        played = self.proofs.check(shop_id, session=session, code=code)
        if played is None or played.application is None:
            raise SignInRefused
        username = self.wishes.open_username(played.application, session=played.reference)
        act = Act(who=username, what="staff.password.reset", whom=username, why="forgotten")
        key = self.audit.record(shop_id, act)
        self.pool.set_password(username, new)
        self.proofs.close(played)
        self._sign_out(shop_id, username)
        self.audit.finish(key)

    def change(self, member: Member, *, old: str, new: str) -> None:
        """Change one's own password; raise `SignInRefused`, `PasswordRefused` or `Throttled`."""
        self._admit(member)
        act = Act(who=member.username, what="staff.password.changed", whom=member.username)
        key = self.audit.record(member.shop_id, act)
        self.pool.change_password(member.token, old=old, new=new)
        self._end(member, what="password")
        self.audit.finish(key)

    def remove_totp(self, member: Member, *, password: str) -> None:
        """Ask oneself for no app's code any more; raise `SignInRefused` or `Throttled`."""
        self._admit(member)
        if not self.pool.is_password(member.username, password):
            raise SignInRefused
        act = Act(who=member.username, what="staff.totp.removed", whom=member.username)
        key = self.audit.record(member.shop_id, act)
        self.pool.prefer_totp(member.username, is_wanted=False)
        self._end(member, what="totp")
        self.audit.finish(key)

    def _admit(self, member: Member) -> None:
        # Guesses with a stolen token count like guesses at the door.
        name = self.pseudonyms.of_staff(member.username)
        place = self.pseudonyms.of_address(member.address)
        self.throttle.admit(STAFF_SIGN_INS, shop_id=member.shop_id, name=f"{name}#{place}")
        self.throttle.admit(STAFF_BY_ADDRESS, shop_id=member.shop_id, name=place)

    def _end(self, member: Member, *, what: str) -> None:
        self._sign_out(member.shop_id, member.username)
        known = self.pool.find(member.shop_id, member.username)
        if known is None or not known.email:
            return
        try:
            self.mailer.send_staff_changed(known.email, what=what)
        except Unavailable as exc:
            # It is changed, and the audit says so; a mail that is missing undoes nothing.
            log.error("change of staff not mailed", extra={"reason": str(exc)})

    def _sign_out(self, shop_id: ShopId, username: str) -> None:
        self.families.revoke_all(Owner(kind=OwnerKind.STAFF, shop_id=shop_id, name=username))
        self.pool.sign_out(username)
