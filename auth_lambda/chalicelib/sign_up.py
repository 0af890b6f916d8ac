"""Sign-up: an applicant arrives, a customer is stored, made in Cognito, and announced."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from comanda.cpf import CPF
from comanda.envelope import Envelope
from comanda.events import CustomerRegistered
from comanda.ids import CustomerId, EventId, ShopId, new_id

from .cognito import CustomerPool, Person
from .pseudonyms import Email, Pseudonyms
from .registry import CustomerRegistry, Registration


class Publisher(Protocol):
    """Put one envelope on the topic of customers."""

    def publish(self, envelope: Envelope) -> None:
        """Publish; raise `MessagingUnavailable`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Applicant:
    """Who wants to be a customer, and to which text they agreed."""

    cpf: CPF
    name: str
    email: Email
    consent_version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SignUp:
    """Register customers, once each, whatever is repeated or breaks in between.

    The registration is stored first, with the id that its event will have. A crash after that
    leaves it unpublished, and the same request made again goes on from there; an event published
    twice is the same event.
    """

    registry: CustomerRegistry
    pool: CustomerPool
    publisher: Publisher
    pseudonyms: Pseudonyms
    clock: Callable[[], datetime]
    new: Callable[[], UUID]

    def register(self, shop_id: ShopId, applicant: Applicant) -> None:
        """Register, or do nothing visible if the CPF or the address is another customer's."""
        now = self.clock()
        fresh = Registration(
            customer_id=CustomerId(str(self.new())),
            shop_id=shop_id,
            event_id=EventId(new_id(now)),
            registered_at=now,
            consent_version=applicant.consent_version,
        )
        names = (self.pseudonyms.of(applicant.cpf), self.pseudonyms.of(applicant.email))
        stored = self.registry.claim(fresh, names=names)
        if stored is None or stored.is_published:
            return  # The answer is the same as for a new customer: it must not tell.
        self._finish(stored, applicant)

    def _finish(self, stored: Registration, applicant: Applicant) -> None:
        email = applicant.email.address
        self.pool.create(
            Person(
                customer_id=stored.customer_id,
                shop_id=stored.shop_id,
                name=applicant.name,
                email=email,
            )
        )
        event = CustomerRegistered(
            shop_id=stored.shop_id, customer_id=stored.customer_id, email=email
        )
        self.publisher.publish(
            Envelope(
                id=stored.event_id,
                time=stored.registered_at,
                event=event,
                correlation_id=stored.event_id,
            )
        )
        self.registry.mark_published(stored.customer_id, now=self.clock())
