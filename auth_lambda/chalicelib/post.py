"""A letter arrives, and a code leaves by e-mail: to a customer, to an applicant, or to nobody."""

import logging
from dataclasses import dataclass

from .addressees import Addressees, Recipient
from .aws import Unavailable
from .codes import Codes
from .courier import Letter
from .mail import Mailer
from .refusals import Throttled
from .sessions import Sessions
from .throttle import SENDS, Throttle

log = logging.getLogger("auth_lambda")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostRoom:
    """Send codes of one purpose.

    Nobody waits for the outcome, so it may differ from person to person.
    """

    addressees: Addressees
    sessions: Sessions
    codes: Codes
    throttle: Throttle
    mailer: Mailer

    def deliver(self, letter: Letter) -> None:
        """Send a code unless one is on its way; raise `Unavailable` to be asked again."""
        sealed = self.sessions.application(letter.session)
        found = self.addressees.find(letter, sealed=sealed)
        if found is None:
            log.info("letter for nobody")
            return
        if not self.sessions.bind(letter.session, found.holder, customer_id=found.customer_id):
            return  # The session has ended meanwhile; a code for it would be of no use.
        code = self.codes.issue(found.holder, session=letter.session)
        if code is None:
            log.info("code on its way already")
            return
        try:
            self._admit(letter, found)
            self.mailer.send_code(found.email, code, purpose=letter.purpose)
        except (Throttled, Unavailable) as exc:
            # What was not sent must not hold back the next send for a minute.
            self.codes.withdraw(found.holder, code)
            log.warning("code not sent", extra={"reason": type(exc).__name__})
            if isinstance(exc, Unavailable):
                raise
            return
        log.info("code sent")

    def _admit(self, letter: Letter, found: Recipient) -> None:
        # Strangers share a budget for a name, so that a botnet cannot guess for ever. Who comes
        # from where the customer has signed in before has one of their own: strangers cannot
        # spend it.
        name = f"{letter.name}#{letter.place}" if found.has_been_here else letter.name
        self.throttle.admit(SENDS, shop_id=letter.shop_id, name=name)
