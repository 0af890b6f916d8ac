"""Who is registered where: keyed names of CPF and e-mail lead to a customer's id, per shop."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from comanda.ids import CustomerId, EventId, ShopId

from .table import Change, ConditionFailed, Item, Key, Table, Write

_CUSTOMER = "CUSTOMER"
FAMILIAR_FOR = timedelta(days=90)


class Outdated(Exception):
    """The profile has changed since the caller read it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """What is kept of a customer here: no name, no address, only ids, keyed names and instants.

    `cpf_name` is missing when another customer had confirmed this CPF first.
    """

    customer_id: CustomerId
    shop_id: ShopId
    event_id: EventId
    registered_at: datetime
    consent_version: str
    consented_at: datetime
    email_name: str
    cpf_name: str | None
    is_published: bool = False
    edition: int = 1


class CustomerRegistry:
    """Keep registrations, each under its keyed names, or not at all."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, shop_id: ShopId, name: str) -> CustomerId | None:
        """Give the customer of this shop who goes by this keyed name."""
        item = self._table.get(_name_key(shop_id, name))
        return CustomerId(str(item["customer_id"])) if item else None

    def claim(self, wanted: Registration) -> Registration:
        """Store a registration whose e-mail is proven, or give the one that this e-mail has.

        A CPF that another customer holds stays theirs; the newcomer is registered all the same.
        """
        for fresh in (wanted, replace(wanted, cpf_name=None)):
            found = self.find(fresh.shop_id, fresh.email_name)
            known = self.get(found) if found else None
            if known is not None:
                return known
            try:
                self._store(fresh)
            except ConditionFailed:
                continue
            return fresh
        raise ConditionFailed("two sign-ups of one person at once")

    def get(self, customer_id: CustomerId) -> Registration | None:
        """Give what is kept of this customer."""
        item = self._table.get(_profile_key(customer_id))
        return _registration(customer_id, item) if item else None

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

    def advance(self, customer_id: CustomerId, *, edition: int) -> int:
        """Count an edit of this edition, and give the next; raise `Outdated`."""
        try:
            item = self._table.update(
                _profile_key(customer_id),
                Change(
                    update="SET edition = :next",
                    condition="edition = :known",
                    values={":next": edition + 1, ":known": edition},
                ),
            )
        except ConditionFailed as exc:
            raise Outdated from exc
        return int(item["edition"])

    def remember_place(self, customer_id: CustomerId, place: str, *, now: datetime) -> None:
        """Note that this customer has signed in from there; `place` is a keyed name."""
        ends = int((now + FAMILIAR_FOR).timestamp())
        self._table.put(_place_key(customer_id, place), {"expires_at": ends})

    def is_familiar(self, customer_id: CustomerId, place: str, *, now: datetime) -> bool:
        """Tell whether this customer has signed in from there of late."""
        item = self._table.get(_place_key(customer_id, place))
        # DynamoDB deletes what has ended within days, not at once.
        return item is not None and int(item["expires_at"]) > now.timestamp()

    def release(self, registration: Registration, name: str) -> None:
        """Free a keyed name, if it still leads to this customer."""
        try:
            self._table.delete(
                _name_key(registration.shop_id, name),
                Change(
                    condition="customer_id = :customer",
                    values={":customer": registration.customer_id},
                ),
            )
        except ConditionFailed:
            return  # Already free, or somebody else's by now.

    def give_up_cpf(self, registration: Registration) -> None:
        """Take the CPF from a customer, who goes on signing in by e-mail."""
        if registration.cpf_name is None:
            return
        self._table.update(
            _profile_key(registration.customer_id),
            Change(update="REMOVE cpf_name", condition="attribute_exists(pk)"),
        )
        self.release(registration, registration.cpf_name)

    def release_last(self, registration: Registration) -> None:
        """Free the CPF that a customer signed in by before they took another."""
        if registration.cpf_name is not None:
            self.release(registration, registration.cpf_name)

    def take_cpf(self, registration: Registration, name: str) -> bool:
        """Let a customer sign in by this CPF, if nobody else does; tell whether they do now."""
        owner: Item = {"customer_id": registration.customer_id}
        try:
            self._table.put_new([(_name_key(registration.shop_id, name), owner)])
        except ConditionFailed:
            return self.find(registration.shop_id, name) == registration.customer_id
        self._table.update(
            _profile_key(registration.customer_id),
            Change(
                update="SET cpf_name = :name",
                condition="attribute_exists(pk)",
                values={":name": name},
            ),
        )
        return True

    def move_email(self, registration: Registration, name: str) -> None:
        """Put another keyed e-mail in the place of the last, at once.

        Raises `Outdated` when somebody else has the name, or the customer's is another by now.
        """
        shop_id, customer_id = registration.shop_id, registration.customer_id
        own: Item = {":customer": customer_id}
        is_free_or_own = "attribute_not_exists(pk) OR customer_id = :customer"
        mine = Change(condition=is_free_or_own, values=own)
        moved = Change(
            update="SET email_name = :next",
            condition="email_name = :last",
            values={":next": name, ":last": registration.email_name},
        )
        owner: Item = {"customer_id": customer_id}
        writes = [
            Write(key=_name_key(shop_id, name), item=owner, change=mine),
            Write(key=_profile_key(customer_id), change=moved),
            Write(key=_name_key(shop_id, registration.email_name), change=mine),
        ]
        try:
            self._table.write_all(writes)
        except ConditionFailed as exc:
            raise Outdated from exc

    def _store(self, fresh: Registration) -> None:
        owner: Item = {"customer_id": fresh.customer_id}
        names = (fresh.email_name, fresh.cpf_name)
        self._table.put_new(
            [
                (_profile_key(fresh.customer_id), _profile(fresh)),
                *((_name_key(fresh.shop_id, name), owner) for name in names if name),
            ]
        )


def _registration(customer_id: CustomerId, item: Item) -> Registration:
    return Registration(
        customer_id=customer_id,
        shop_id=ShopId(str(item["shop_id"])),
        event_id=EventId(str(item["event_id"])),
        registered_at=datetime.fromisoformat(str(item["registered_at"])),
        consent_version=str(item["consent_version"]),
        consented_at=datetime.fromisoformat(str(item["consented_at"])),
        email_name=str(item["email_name"]),
        cpf_name=str(item["cpf_name"]) if "cpf_name" in item else None,
        is_published="published_at" in item,
        edition=int(item["edition"]),
    )


def _name_key(shop_id: ShopId, name: str) -> Key:
    return Key(pk=f"SHOP#{shop_id}#{name}", sk=_CUSTOMER)


def _profile_key(customer_id: CustomerId) -> Key:
    return Key(pk=f"CUSTOMER#{customer_id}", sk="PROFILE")


def _place_key(customer_id: CustomerId, place: str) -> Key:
    return Key(pk=f"CUSTOMER#{customer_id}", sk=f"PLACE#{place}")


def _profile(registration: Registration) -> Item:
    item: Item = {
        "shop_id": str(registration.shop_id),
        "event_id": registration.event_id,
        "registered_at": _instant(registration.registered_at),
        "consent_version": registration.consent_version,
        "consented_at": _instant(registration.consented_at),
        "email_name": registration.email_name,
        "edition": registration.edition,
    }
    if registration.cpf_name is not None:
        item["cpf_name"] = registration.cpf_name
    return item


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
