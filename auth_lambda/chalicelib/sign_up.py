"""Sign-up: an applicant whose code was right is stored, made in Cognito, and announced."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from comanda.ids import CustomerId, EventId, ShopId, new_id

from .applications import Applicant
from .cognito import CustomerPool, Person
from .pseudonyms import Pseudonyms
from .registry import CustomerRegistry, Registration


class Herald(Protocol):
    """Tell the other contexts about customers."""

    def registered(self, registration: Registration, *, email: str) -> None:
        """Announce a customer; raise `Unavailable`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignUp:
    """Register customers, once each, whatever is repeated or breaks in between.

    The registration is stored first, with the id that its event will have. A crash after that
    leaves it unpublished, and the next sign-up of the same person goes on from there; an event
    published twice is the same event.
    """

    registry: CustomerRegistry
    pool: CustomerPool
    herald: Herald
    pseudonyms: Pseudonyms
    clock: Callable[[], datetime]
    new: Callable[[], UUID]

    def register(self, shop_id: ShopId, applicant: Applicant) -> CustomerId:
        """Give the customer who has this e-mail, which the applicant has proven to be theirs.

        Who is a customer already stays as they are: a sign-up never edits.
        """
        now = self.clock()
        stored = self.registry.claim(
            Registration(
                customer_id=CustomerId(str(self.new())),
                shop_id=shop_id,
                event_id=EventId(new_id(now)),
                registered_at=now,
                consent_version=applicant.consent_version,
                consented_at=applicant.consented_at,
                email_name=self.pseudonyms.of(applicant.email),
                cpf_name=self.pseudonyms.of(applicant.cpf),
            )
        )
        if not stored.is_published:
            self._finish(stored, applicant)
        return stored.customer_id

    def _finish(self, stored: Registration, applicant: Applicant) -> None:
        email = applicant.email.address
        self.pool.create(
            Person(
                customer_id=stored.customer_id,
                shop_id=stored.shop_id,
                name=applicant.name,
                email=email,
                birth_date=applicant.birth_date,
            )
        )
        self.herald.registered(stored, email=email)
        self.registry.mark_published(stored.customer_id, now=self.clock())
