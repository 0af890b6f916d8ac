"""A customer's own profile: read, edited on a known edition, and exported with all else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from comanda.ids import CustomerId

from .birthdays import age_on
from .cognito import CustomerPool, Person
from .refusals import NoProfile
from .registry import CustomerRegistry, Registration


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """What a customer changes; `birth_date` may become empty, what is None stays."""

    name: str | None = None
    birth_date: date | None = None
    is_birth_date_removed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """What we keep of a customer, from both stores."""

    person: Person
    registration: Registration

    def document(self, *, today: date) -> dict[str, Any]:
        """Give it as JSON; the CPF is not there, for it is kept as a keyed name alone."""
        born = self.person.birth_date
        return {
            "id": self.person.customer_id,
            "shop_id": str(self.person.shop_id),
            "name": self.person.name,
            "email": self.person.email,
            "birth_date": born.isoformat() if born else None,
            "age": age_on(born, today) if born else None,
            "registered_at": self.registration.registered_at.isoformat(),
            "consent": {
                "version": self.registration.consent_version,
                "given_at": self.registration.consented_at.isoformat(),
            },
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Profiles:
    """Read and edit profiles."""

    registry: CustomerRegistry
    pool: CustomerPool
    clock: Callable[[], datetime]

    def read(self, customer_id: CustomerId) -> Profile:
        """Give a profile; raise `NoProfile`."""
        registration = self.registry.get(customer_id)
        person = self.pool.person(customer_id) if registration else None
        if registration is None or person is None:
            raise NoProfile
        return Profile(person=person, registration=registration)

    def edit(self, customer_id: CustomerId, edit: Edit, *, edition: int) -> Profile:
        """Change a profile of this edition; raise `NoProfile` or `Outdated`."""
        self.read(customer_id)
        # The edition is counted first: of two edits of one edition, one writes and one is told.
        self.registry.advance(customer_id, edition=edition)
        changes = {}
        if edit.name is not None:
            changes["name"] = edit.name
        if edit.birth_date is not None:
            changes["birthdate"] = edit.birth_date.isoformat()
        if edit.is_birth_date_removed:
            changes["birthdate"] = ""
        self.pool.change(customer_id, changes)
        return self.read(customer_id)
