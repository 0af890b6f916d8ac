"""Another e-mail: proven by a code before it replaces the old one, whose reader is told."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from comanda.ids import CustomerId, EventId, ShopId, new_id

from .aws import Unavailable
from .cognito import CustomerPool
from .courier import Courier, Letter
from .families import Owner, OwnerKind
from .proofs import Proofs
from .pseudonyms import Email, Pseudonyms
from .purposes import Purpose
from .refusals import NoProfile, SignInRefused
from .registry import CustomerRegistry, Outdated, Registration
from .sessions import Sessions, reference_of
from .sign_up import Herald
from .throttle import ANSWERS_BY_ADDRESS, CODES_BY_ADDRESS, CODES_IN_ALL, Limit, Throttle
from .unfinished import Errand, Note, Unfinished
from .visits import Visits
from .wishes import EmailWish, Move, Wishes

log = logging.getLogger("auth_lambda")
EMAIL_CHANGES = Limit(purpose="EMAIL-CHANGE", count=5, window=timedelta(hours=1))


class EmailTaken(Exception):
    """This address, which the caller has proven to be theirs, signs another customer in."""


class Teller(Protocol):
    """Write to the old address."""

    def send_email_changed(self, email: str) -> None:
        """Tell that codes go elsewhere from now on; raise `Unavailable`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailChanges:
    """Change the address of customers who are signed in.

    A change that is proven gets a note, by which `finish` goes on where one broke. Cognito has the
    address first and the keyed names follow in one transaction: whatever breaks in between, codes
    go to the address that was just proven.
    """

    wishes: Wishes
    sessions: Sessions
    proofs: Proofs
    courier: Courier
    throttle: Throttle
    pseudonyms: Pseudonyms
    registry: CustomerRegistry
    pool: CustomerPool
    visits: Visits
    unfinished: Unfinished
    herald: Herald
    teller: Teller
    clock: Callable[[], datetime]

    def ask(self, shop_id: ShopId, customer_id: CustomerId, email: Email, *, address: str) -> str:
        """Send a code to the new address, and give the session; raise `NoProfile`, `Throttled`.

        Whether somebody else has the address is not looked up here, so no answer can tell.
        """
        place = self.pseudonyms.of_address(address)
        self.throttle.admit(EMAIL_CHANGES, shop_id=shop_id, name=customer_id)
        self.throttle.admit(CODES_BY_ADDRESS, shop_id=shop_id, name=place)
        self.throttle.admit(CODES_IN_ALL, shop_id=shop_id, name="ALL")
        self._registration(customer_id)
        token = self.sessions.token()
        reference = reference_of(token)
        wish = EmailWish(customer_id=customer_id, email=email)
        sealed = self.wishes.seal_email(wish, session=reference)
        self.sessions.open(shop_id, token, application=sealed)
        self.courier.take(
            Letter(
                shop_id=shop_id,
                session=reference,
                name=self.pseudonyms.of(email),
                place=place,
                purpose=Purpose.EMAIL,
            )
        )
        return token

    def confirm(
        self, shop_id: ShopId, customer_id: CustomerId, *, session: str, code: str, address: str
    ) -> None:
        """Put the new address in the place of the old one.

        Raises `SignInRefused`, `EmailTaken`, `Outdated`, `NoProfile` or `Throttled`.
        """
        place = self.pseudonyms.of_address(address)
        self.throttle.admit(ANSWERS_BY_ADDRESS, shop_id=shop_id, name=place)
        played = self.proofs.check(shop_id, session=session, code=code)
        if played is None or played.application is None:
            raise SignInRefused
        wish = self.wishes.open_email(played.application, session=played.reference)
        if wish.customer_id != customer_id:
            raise SignInRefused
        self._replace(self._registration(customer_id), wish.email)
        self.proofs.close(played)

    def finish(self, note: Note) -> None:
        """Make a change whose proof was given, and tell of it; done again, it does the same.

        Raises `NoProfile` when there is no such customer any more, or `Unavailable`.
        """
        move = self.wishes.open_move(note.told, customer_id=note.customer_id)
        try:
            self._make(self._registration(note.customer_id), move)
        except EmailTaken:
            log.warning("address was taken before it was moved to")
            return
        self._tell(self._registration(note.customer_id), move)

    def _replace(self, registration: Registration, email: Email) -> None:
        customer_id, name = registration.customer_id, self.pseudonyms.of(email)
        old = self.pool.email_of(customer_id)
        if old is None:
            raise NoProfile
        if registration.email_name == name and old == email.address:
            return
        if self.registry.find(registration.shop_id, name) not in (None, customer_id):
            raise EmailTaken
        # Of two changes of one edition, one goes on and the other is told.
        self.registry.advance(customer_id, edition=registration.edition)
        event_id = EventId(new_id(self.clock()))
        move = Move(event_id=event_id, old=Email(old), new=email)
        note = Note(
            errand=Errand.EMAIL,
            shop_id=registration.shop_id,
            customer_id=customer_id,
            told=self.wishes.seal_move(move, customer_id=customer_id),
        )
        if not self.unfinished.begin(note):
            # Its reader is still to be told of the last change, and must be before the next.
            raise Unavailable("the last change of this address")
        self._make(registration, move)
        try:
            self._tell(registration, move)
        except Unavailable as exc:
            # It is changed; the rest has its note.
            log.warning("change of e-mail to be told", extra={"reason": str(exc)})

    def _make(self, registration: Registration, move: Move) -> None:
        """Change Cognito, then the names; when the name is taken by now, change nothing."""
        customer_id, name = registration.customer_id, self.pseudonyms.of(move.new)
        self._change_pool(customer_id, move.new)
        if registration.email_name == name:
            return  # Done before something broke.
        try:
            self.registry.move_email(registration, name)
        except Outdated as exc:
            self._change_pool(customer_id, move.old)
            self.unfinished.finish(Errand.EMAIL, customer_id)
            raise EmailTaken from exc

    def _tell(self, registration: Registration, move: Move) -> None:
        customer_id, shop_id = registration.customer_id, registration.shop_id
        # An event of its own, which says what the first one said: where this customer is reached.
        told = replace(registration, event_id=move.event_id, registered_at=self.clock())
        self.herald.registered(told, email=move.new.address)
        # Whoever reads the old mailbox may have signed in by it, and is out now.
        self.visits.end_all(Owner(kind=OwnerKind.CUSTOMER, shop_id=shop_id, name=customer_id))
        self.teller.send_email_changed(move.old.address)
        self.unfinished.finish(Errand.EMAIL, customer_id)

    def _registration(self, customer_id: CustomerId) -> Registration:
        registration = self.registry.get(customer_id)
        if registration is None:
            raise NoProfile
        return registration

    def _change_pool(self, customer_id: CustomerId, email: Email) -> None:
        self.pool.change(customer_id, {"email": email.address, "email_verified": "true"})
