"""What spans tell of messages and events: kinds and ids of ours, and nothing of a person."""

from comanda.envelope import Envelope, InvalidEnvelope
from comanda.ids import OrderId
from comanda.messaging.ports import Message


def envelope_of(message: Message) -> Envelope | None:
    """Read the envelope of a message; none where there is none to be read."""
    try:
        return Envelope.from_json(message.body)
    except InvalidEnvelope:
        return None  # The consumer says so, and why.


def traceparent_of(message: Message, envelope: Envelope | None) -> str | None:
    """Give where the creation of a message's event is in its trace, as it was written."""
    # A letter that was sent back by hand may have lost its attributes.
    inside = envelope.traceparent if envelope else None
    return message.attributes.get("traceparent") or inside


def facts_of(envelope: Envelope) -> dict[str, str]:
    """Give the attributes of an event, but for its subject, which may be a person."""
    facts = {
        "cloudevents.event_id": envelope.id,
        "cloudevents.event_source": f"comanda/{envelope.event.source}",
        "cloudevents.event_type": envelope.event.wire_type,
        "comanda.shop.id": str(envelope.event.shop_id),
    }
    order_id = order_of(envelope)
    return facts if order_id is None else {**facts, "comanda.order.id": order_id}


def order_of(envelope: Envelope | None) -> OrderId | None:
    """Give the order that an event is about, if it is about one."""
    return getattr(envelope.event, "order_id", None) if envelope else None
