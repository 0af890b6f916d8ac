"""A letter arrives, and a code leaves by e-mail: to a customer, to an applicant, or to nobody."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from comanda.ids import CustomerId

from .applications import Applications
from .aws import Unavailable
from .codes import Codes, Holder
from .cognito import CustomerPool
from .courier import Letter
from .mail import Mailer
from .refusals import Throttled
from .registry import CustomerRegistry
from .sessions import Sessions
from .throttle import SENDS, Throttle

log = logging.getLogger("auth_lambda")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """Where a code goes, and whose it is."""

    email: str
    holder: Holder
    customer_id: CustomerId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PostRoom:
    """Send codes; nobody waits for the outcome, so it may differ from person to person."""

    registry: CustomerRegistry
    applications: Applications
    pool: CustomerPool
    sessions: Sessions
    codes: Codes
    throttle: Throttle
    mailer: Mailer
    clock: Callable[[], datetime]

    def deliver(self, letter: Letter) -> None:
        """Send a code unless one is on its way; raise `Unavailable` to be asked again."""
        found = self._recipient(letter)
        if found is None:
            log.info("letter for nobody")
            return
        if not self.sessions.bind(letter.session, found.holder, customer_id=found.customer_id):
            return  # The session has ended meanwhile; a code for it would be of no use.
        code = self.codes.issue(found.holder)
        if code is None:
            log.info("code on its way already")
            return
        try:
            self._admit(letter, found)
            self.mailer.send_code(found.email, code)
        except (Throttled, Unavailable) as exc:
            # What was not sent must not hold back the next send for a minute.
            self.codes.withdraw(found.holder, code)
            log.warning("code not sent", extra={"reason": type(exc).__name__})
            if isinstance(exc, Unavailable):
                raise
            return
        log.info("code sent")

    def _recipient(self, letter: Letter) -> Recipient | None:
        sealed = self.sessions.application(letter.session)
        if sealed is not None:
            applicant = self.applications.open(sealed, session=letter.session)
            owner = f"SHOP#{letter.shop_id}#{letter.name}"
            return Recipient(
                email=applicant.email.address,
                holder=Holder(owner=owner, place=letter.place),
                customer_id=None,
            )
        customer_id = self.registry.find(letter.shop_id, letter.name)
        email = self.pool.email_of(customer_id) if customer_id else None
        if customer_id is None or email is None:
            return None
        holder = Holder(owner=f"CUSTOMER#{customer_id}", place=letter.place)
        return Recipient(email=email, holder=holder, customer_id=customer_id)

    def _admit(self, letter: Letter, found: Recipient) -> None:
        # Strangers share a budget for a name, so that a botnet cannot guess for ever. Who comes
        # from where the customer has signed in before has one of their own: strangers cannot
        # spend it.
        name = letter.name
        known, now = found.customer_id, self.clock()
        if known and self.registry.is_familiar(known, letter.place, now=now):
            name = f"{name}#{letter.place}"
        self.throttle.admit(SENDS, shop_id=letter.shop_id, name=name)
