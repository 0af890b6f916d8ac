"""What is kept of an event: its envelope as it came, less the person, and how it is found again.

An envelope arrives from the handlers, an entry leaves to the scribe (`workers.archive.scribe`).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from comanda.codec import read_instant
from comanda.envelope import Envelope
from comanda.events import (
    ChargeCreated,
    ChargeRefused,
    CustomerRegistered,
    Event,
    OrderPlaced,
    StockReserved,
)
from comanda.ids import ShopId

# What names a person inside the data of an event.
_ADDRESS, _PERSON, _NOTES = "email", "customer_id", "notes"
_NAMING = frozenset({OrderPlaced.wire_type, StockReserved.wire_type})


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where an event lies: an object, and its line in it, from 0."""

    key: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One archived event.

    `body` is the envelope's text on one line; `aliases` are further ids that lead to its subject;
    `person_id` is the customer whom it names and who may want to be taken out of it.
    """

    event_id: str
    wire_type: str
    shop_id: ShopId
    subject: str
    at: datetime
    conversation: str
    causation_id: str | None
    body: str
    aliases: tuple[str, ...] = ()
    person_id: str | None = None

    @property
    def data(self) -> dict[str, Any]:
        """Give the event's own fields as they travelled."""
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data


def entry_of(envelope: Envelope) -> Entry:
    """Make the entry of an event; fields that this version does not know are kept as they came."""
    event = envelope.event
    body = _on_one_line(envelope.text or envelope.to_json())
    if isinstance(event, CustomerRegistered):
        # An address is all that this event tells, and an archive is no place for it.
        body = _with_data(body, {_ADDRESS: ""})
    return Entry(
        event_id=envelope.id,
        wire_type=event.wire_type,
        shop_id=event.shop_id,
        subject=event.subject,
        at=envelope.time,
        conversation=envelope.correlation_id,
        causation_id=envelope.causation_id,
        body=body,
        aliases=_aliases(event),
        person_id=_person(event),
    )


def read_entry(body: str) -> Entry:
    """Read an entry back from its text, whether or not this version knows its type."""
    told = json.loads(body)
    return Entry(
        event_id=told["id"],
        wire_type=told["type"],
        shop_id=ShopId(told["shopid"]),
        # CloudEvents may leave it out, and so may what another sender wrote.
        subject=str(told.get("subject", "")),
        at=read_instant(told["time"]),
        conversation=told["correlationid"],
        causation_id=told.get("causationid"),
        body=body,
    )


def without_person(body: str) -> str:
    """Give the text without its customer and without what the customer wrote."""
    data = json.loads(body)["data"]
    lines = [{**line, _NOTES: ""} for line in data.get("lines", ())]
    told = {_PERSON: None, "lines": lines} if "lines" in data else {_PERSON: None}
    return _with_data(body, told)


def names(body: str, shop_id: ShopId, customer_id: str) -> bool:
    """Tell whether `without_person` would take this customer out of the text."""
    if customer_id not in body:
        return False  # Most texts of an object are about others, and need not be parsed.
    told = json.loads(body)
    is_theirs = told["shopid"] == shop_id and told["data"].get(_PERSON) == customer_id
    return is_theirs and told["type"] in _NAMING


def hour_of(at: datetime) -> str:
    """Give the beginning of the names of all objects of an hour, in UTC."""
    return at.astimezone(UTC).strftime("events/%Y/%m/%d/%H/")


def _aliases(event: Event) -> tuple[str, ...]:
    if isinstance(event, ChargeCreated | ChargeRefused):
        return (str(event.charge_id),)
    person_id = _person(event)
    return () if person_id is None else (person_id,)


def _person(event: Event) -> str | None:
    if isinstance(event, OrderPlaced | StockReserved) and event.customer_id is not None:
        return str(event.customer_id)
    return None


def _with_data(body: str, told: dict[str, Any]) -> str:
    envelope = json.loads(body)
    envelope["data"] = {**envelope["data"], **told}
    # Escapes stay escapes: half a surrogate pair is JSON, and no UTF-8.
    return json.dumps(envelope, separators=(",", ":"))


def _on_one_line(text: str) -> str:
    # JSON needs no line breaks; a sender that makes pretty ones must not tear an object's lines.
    if "\n" not in text and "\r" not in text:
        return text
    return json.dumps(json.loads(text), separators=(",", ":"))
