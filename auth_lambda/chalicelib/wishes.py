"""What somebody wants to change, and how that rests, sealed, until a code proves who asks."""

import json
from dataclasses import dataclass

from comanda.ids import CustomerId, EventId

from .pseudonyms import Email
from .sealing import seal, unseal


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailWish:
    """A customer wants their codes at another address."""

    customer_id: CustomerId
    email: Email


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A change of address whose proof was given, with the id of the event that will tell of it."""

    event_id: EventId
    old: Email
    new: Email


class Wishes:
    """Seal wishes, so that the table holds no address that is not proven."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal_email(self, wish: EmailWish, *, session: str) -> str:
        """Give the text to store with the session."""
        text = json.dumps([wish.customer_id, wish.email.address])
        return seal(self._key, text, place=f"email {session}")

    def open_email(self, sealed: str, *, session: str) -> EmailWish:
        """Read what `seal_email` wrote for this session; raise `Broken`."""
        customer_id, address = json.loads(unseal(self._key, sealed, place=f"email {session}"))
        return EmailWish(customer_id=CustomerId(customer_id), email=Email(address))

    def seal_username(self, username: str, *, session: str) -> str:
        """Give the text that names who forgot their password."""
        return seal(self._key, username, place=f"password {session}")

    def open_username(self, sealed: str, *, session: str) -> str:
        """Read what `seal_username` wrote for this session; raise `Broken`."""
        return unseal(self._key, sealed, place=f"password {session}")

    def seal_move(self, move: Move, *, customer_id: CustomerId) -> str:
        """Give the text that a note keeps until all is done and told."""
        text = json.dumps([move.event_id, move.old.address, move.new.address])
        return seal(self._key, text, place=f"move {customer_id}")

    def open_move(self, sealed: str, *, customer_id: CustomerId) -> Move:
        """Read what `seal_move` wrote for this customer; raise `Broken`."""
        text = unseal(self._key, sealed, place=f"move {customer_id}")
        event_id, old, new = json.loads(text)
        return Move(event_id=EventId(event_id), old=Email(old), new=Email(new))
