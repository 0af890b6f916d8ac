"""What the other contexts hear of customers: that there is one, and that one is to be forgotten."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from comanda.ids import CustomerId, EventId, ShopId

from .aws import Unavailable
from .registry import Registration

if TYPE_CHECKING:
    from comanda.envelope import Envelope
    from comanda.events import Event


class Publisher(Protocol):
    """Put one envelope on the topic of customers."""

    def publish(self, envelope: "Envelope") -> None:
        """Publish; raise `MessagingUnavailable`."""


class TopicHerald:
    """Publish events of customers; the caller has stored each event's id and time before."""

    def __init__(self, publisher: Publisher, *, traces_ratio: float = 0.0) -> None:
        self._publisher = publisher
        self._traces_ratio = traces_ratio

    def registered(self, registration: Registration, *, email: str) -> None:
        """Announce a customer; raise `Unavailable`."""
        # Events take a while to load, and no sign-in needs them.
        from comanda.events import CustomerRegistered

        self._publish(
            CustomerRegistered(
                shop_id=registration.shop_id, customer_id=registration.customer_id, email=email
            ),
            event_id=registration.event_id,
            at=registration.registered_at,
        )

    def erased(
        self, shop_id: ShopId, customer_id: CustomerId, *, event_id: EventId, at: datetime
    ) -> None:
        """Tell everybody to forget a customer; raise `Unavailable`."""
        from comanda.events import CustomerErased

        event = CustomerErased(shop_id=shop_id, customer_id=customer_id)
        self._publish(event, event_id=event_id, at=at)

    def _publish(self, event: "Event", *, event_id: EventId, at: datetime) -> None:
        from comanda.envelope import Envelope
        from comanda.messaging.ports import MessagingUnavailable
        from comanda.traceparent import passed_on

        envelope = Envelope(
            id=event_id,
            time=at,
            event=event,
            correlation_id=event_id,
            # Announced again by a schedule too, so its trace begins with the news.
            traceparent=passed_on(None, ratio=self._traces_ratio),
        )
        try:
            self._publisher.publish(envelope)
        except MessagingUnavailable as exc:
            raise Unavailable("the topic of customers") from exc
