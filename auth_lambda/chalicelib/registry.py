"""Who is registered where: keyed names of CPF and e-mail lead to a customer's id, per shop."""

from dataclasses import dataclass
from datetime import UTC, datetime

from comanda.ids import CustomerId, EventId, ShopId

from .table import Change, ConditionFailed, Key, Table

_CUSTOMER = "CUSTOMER"


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """What is kept of a sign-up: no name, no address, only ids and instants."""

    customer_id: CustomerId
    shop_id: ShopId
    event_id: EventId
    registered_at: datetime
    consent_version: str
    is_published: bool = False


class CustomerRegistry:
    """Keep registrations, each under two keyed names, or not at all."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, shop_id: ShopId, name: str) -> CustomerId | None:
        """Give the customer of this shop who goes by this keyed name."""
        item = self._table.get(_name_key(shop_id, name))
        return CustomerId(str(item["customer_id"])) if item else None

    def claim(self, registration: Registration, *, names: tuple[str, str]) -> Registration | None:
        """Store a new registration, or give the one that both names already lead to.

        None when a name belongs to somebody else: a person who knows a CPF must not be able to
        put another address to it.
        """
        owner = {"customer_id": registration.customer_id}
        try:
            self._table.put_new(
                [
                    (_profile_key(registration.customer_id), _profile(registration)),
                    *((_name_key(registration.shop_id, name), owner) for name in names),
                ]
            )
        except ConditionFailed:
            return self._existing(registration.shop_id, names)
        return registration

    def mark_published(self, customer_id: CustomerId, *, now: datetime) -> None:
        """Record that the world knows of this customer."""
        self._table.update(
            _profile_key(customer_id),
            Change(
                update="SET published_at = :now",
                condition="attribute_exists(pk)",
                values={":now": _instant(now)},
            ),
        )

    def _existing(self, shop_id: ShopId, names: tuple[str, str]) -> Registration | None:
        owners = {self.find(shop_id, name) for name in names}
        owner = owners.pop()
        if owners or owner is None:
            return None
        item = self._table.get(_profile_key(owner))
        if item is None:
            return None
        return Registration(
            customer_id=owner,
            shop_id=shop_id,
            event_id=EventId(str(item["event_id"])),
            registered_at=datetime.fromisoformat(str(item["registered_at"])),
            consent_version=str(item["consent_version"]),
            is_published="published_at" in item,
        )


def _name_key(shop_id: ShopId, name: str) -> Key:
    return Key(pk=f"SHOP#{shop_id}#{name}", sk=_CUSTOMER)


def _profile_key(customer_id: CustomerId) -> Key:
    return Key(pk=f"CUSTOMER#{customer_id}", sk="PROFILE")


def _profile(registration: Registration) -> dict[str, str | int]:
    return {
        "shop_id": str(registration.shop_id),
        "event_id": registration.event_id,
        "registered_at": _instant(registration.registered_at),
        "consent_version": registration.consent_version,
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
