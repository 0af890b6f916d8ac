"""Who gets the code that a letter asks for, by what the code is for; nobody is an answer, too."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from comanda.ids import CustomerId

from .applications import Applications
from .codes import Holder, holder_of_applicant
from .cognito import CustomerPool
from .courier import Letter
from .registry import CustomerRegistry
from .staff_pool import StaffPool
from .wishes import Wishes


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """Where a code goes, and whose it is.

    `has_been_here` is for who has signed in before from where the letter comes.
    """

    email: str
    holder: Holder
    customer_id: CustomerId | None = None
    has_been_here: bool = False


class Addressees(Protocol):
    """Find whom a letter is for."""

    def find(self, letter: Letter, *, sealed: str | None) -> Recipient | None:
        """Give the recipient; `sealed` is what rests in the session. Raise `Unavailable`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WhoSignsIn:
    """An applicant, who is to prove an address, or a customer, who goes by the letter's name."""

    registry: CustomerRegistry
    applications: Applications
    pool: CustomerPool
    clock: Callable[[], datetime]

    def find(self, letter: Letter, *, sealed: str | None) -> Recipient | None:
        """Give where the applicant says, or Cognito says of the customer."""
        if sealed is not None:
            applicant = self.applications.open(sealed, session=letter.session)
            holder = holder_of_applicant(letter.shop_id, name=letter.name, place=letter.place)
            return Recipient(email=applicant.email.address, holder=holder)
        customer_id = self.registry.find(letter.shop_id, letter.name)
        email = self.pool.email_of(customer_id) if customer_id else None
        if customer_id is None or email is None:
            return None
        return Recipient(
            email=email,
            holder=Holder(owner=f"CUSTOMER#{customer_id}", place=letter.place),
            customer_id=customer_id,
            has_been_here=self.registry.is_familiar(customer_id, letter.place, now=self.clock()),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class WhoMoves:
    """A customer who says that another address is theirs."""

    wishes: Wishes

    def find(self, letter: Letter, *, sealed: str | None) -> Recipient | None:
        """Give the address that is to be proven."""
        if sealed is None:
            return None  # The session has ended.
        wish = self.wishes.open_email(sealed, session=letter.session)
        # A code proves the address that it went to, and no other: the holder names it.
        holder = Holder(owner=f"CUSTOMER#{wish.customer_id}", place=f"{letter.name}#{letter.place}")
        return Recipient(email=wish.email.address, holder=holder)


@dataclass(frozen=True, kw_only=True, slots=True)
class WhoForgot:
    """A member of staff who forgot their password."""

    wishes: Wishes
    pool: StaffPool

    def find(self, letter: Letter, *, sealed: str | None) -> Recipient | None:
        """Give the address of who works in this shop and may sign in."""
        if sealed is None:
            return None  # The session has ended.
        username = self.wishes.open_username(sealed, session=letter.session)
        member = self.pool.find(letter.shop_id, username)
        if member is None or not member.is_enabled or not member.email:
            return None
        owner = f"STAFF#{letter.shop_id}#{username}"
        return Recipient(
            email=member.email, holder=Holder(owner=owner, place=f"PASSWORD#{letter.place}")
        )
