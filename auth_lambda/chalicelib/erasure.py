"""To be forgotten (LGPD, art. 18, VI): a protocol number leaves, and the person is gone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from comanda.ids import CustomerId, EventId, ShopId, new_id

from .audit import Act, Audit
from .cognito import CustomerPool
from .refusals import NoProfile
from .registry import CustomerRegistry
from .table import Change, ConditionFailed, Item, Key, Table
from .unfinished import Errand, Note, Unfinished


class ErasureHerald(Protocol):
    """Tell the other contexts to forget."""

    def erased(
        self, shop_id: ShopId, customer_id: CustomerId, *, event_id: EventId, at: datetime
    ) -> None:
        """Announce an erasure; raise `Unavailable`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What a customer is given, and all that stays: ids of ours and instants."""

    protocol: str
    requested_at: datetime
    event_id: EventId


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasure:
    """Erase a customer step by step; each may be repeated, and a repeat goes on where one ended.

    A note that it is begun is stored first, and a schedule finishes what nobody asks for again;
    then the receipt. The event comes before anything is removed: whatever breaks later, the other
    contexts have forgotten. What lets the customer in goes last but one.
    """

    table: Table
    registry: CustomerRegistry
    pool: CustomerPool
    herald: ErasureHerald
    audit: Audit
    unfinished: Unfinished
    clock: Callable[[], datetime]

    def erase(self, shop_id: ShopId, customer_id: CustomerId) -> Receipt:
        """Erase and give the receipt, the same for each repeat; raise `NoProfile`."""
        receipt = self._receipt(shop_id, customer_id)
        # Who asked stays unnamed: the protocol number is all that leads back.
        act = Act(who="customer", what="customer.erased", whom=receipt.protocol)
        record = self.audit.record_once(shop_id, act, act_id=receipt.protocol)
        self.herald.erased(shop_id, customer_id, event_id=receipt.event_id, at=receipt.requested_at)
        self.pool.delete(customer_id)
        self._forget(customer_id)
        self.audit.finish(record)
        self.unfinished.begin(Note(errand=Errand.ECHO, shop_id=shop_id, customer_id=customer_id))
        # A change of e-mail that was not finished is void; the erasure's own note goes last.
        for errand in (Errand.EMAIL, Errand.ERASURE):
            self.unfinished.finish(errand, customer_id)
        return receipt

    def echo(self, shop_id: ShopId, customer_id: CustomerId) -> None:
        """Announce an erasure again, for what an access token of before it has done since.

        Raises `Unavailable`, and `NoProfile` when there was no erasure.
        """
        known = self.table.get(_key(customer_id))
        if known is None:
            raise NoProfile
        receipt = _read(known)
        self.herald.erased(shop_id, customer_id, event_id=receipt.event_id, at=receipt.requested_at)
        self.unfinished.finish(Errand.ECHO, customer_id)

    def _receipt(self, shop_id: ShopId, customer_id: CustomerId) -> Receipt:
        key = _key(customer_id)
        known = self.table.get(key)
        if known is None:
            if self.registry.get(customer_id) is None:
                raise NoProfile
            self.unfinished.begin(
                Note(errand=Errand.ERASURE, shop_id=shop_id, customer_id=customer_id)
            )
            now = self.clock()
            known = {
                "protocol": new_id(now),
                "requested_at": now.astimezone(UTC).isoformat(),
                "event_id": new_id(now),
            }
            known = self._store(key, known)
        return _read(known)

    def _store(self, key: Key, fresh: Item) -> Item:
        try:
            self.table.put(key, fresh, change=Change(condition="attribute_not_exists(pk)"))
        except ConditionFailed:
            return self.table.get(key) or fresh  # A twin was faster; its receipt is the one.
        return fresh

    def _forget(self, customer_id: CustomerId) -> None:
        registration = self.registry.get(customer_id)
        if registration is not None:
            for name in (registration.email_name, registration.cpf_name):
                if name is not None:
                    self._forget_name(registration.shop_id, name)
                    self.registry.release(registration, name)
        profile = Key(pk=_key(customer_id).pk, sk="PROFILE")
        for key in self.table.keys(profile.pk):
            if key not in (_key(customer_id), profile):
                self.table.delete(key)
        # The names are found by the profile, so it goes last.
        self.table.delete(profile)

    def _forget_name(self, shop_id: ShopId, name: str) -> None:
        """Remove what lies under a name beside its owner: codes and visits with this CPF."""
        for prefix in ("CODE#", "GUEST#"):
            for key in self.table.keys(f"SHOP#{shop_id}#{name}", prefix=prefix):
                self.table.delete(key)


def _read(item: Item) -> Receipt:
    return Receipt(
        protocol=str(item["protocol"]),
        requested_at=datetime.fromisoformat(str(item["requested_at"])),
        event_id=EventId(str(item["event_id"])),
    )


def _key(customer_id: CustomerId) -> Key:
    return Key(pk=f"CUSTOMER#{customer_id}", sk="ERASURE")
