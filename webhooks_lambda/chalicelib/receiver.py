"""Decide what a notification is worth: verify, publish as a fact, answer.

A request arrives; `NotificationReceived` or `NotificationQuarantined` leaves for payments. SNS's
acknowledgement makes it durable, so the answer is 200 only after it. A signature that does not
verify is answered with 401 even when it was quarantined: a caller learns nothing about the shop,
and Mercado Pago, if it was, tries again while an operator mends the secret.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from comanda.envelope import seal
from comanda.events import Event, NotificationQuarantined, NotificationReceived
from comanda.ids import ShopId
from comanda.mercadopago.signature import Reason, Unverified, verify
from comanda.messaging.ports import MessagingUnavailable
from comanda.messaging.sync import SNSPublisher

from .budget import Budget
from .notification import Notification

log = logging.getLogger("webhooks_lambda")
# Whatever else Mercado Pago can announce changes nothing here.
TOPICS = frozenset(
    {
        "payment",
        "order",
        "orders",
        "topic_chargebacks_wh",
        "chargebacks",
        "topic_claims_integration_wh",
        "stop_delivery_op_wh",
    }
)


class Secrets(Protocol):
    """Where the webhook secrets of a shop come from."""

    def of(self, shop_id: ShopId) -> tuple[str, ...]:
        """Give the secrets, newest first."""

    def reread(self, shop_id: ShopId) -> tuple[str, ...]:
        """Give the secrets after a mismatch; they may have been rotated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Receiver:
    """All that a verdict needs."""

    secrets: Secrets
    publisher: SNSPublisher
    budget: Budget
    clock: Callable[[], datetime]

    def receive(self, notification: Notification, *, shop_id: ShopId) -> int:
        """Publish what is worth it and give the status of the answer."""
        if notification.is_ipn:
            # IPN cannot be verified, and refusing it would make it come back for days.
            log.info("ipn ignored", extra={"shop": shop_id})
            return 200
        try:
            index = self._verify(notification, shop_id)
        except Unverified as exc:
            return self._refuse(notification, shop_id, reason=exc.reason)
        log.info("notification verified", extra=_facts(notification, shop_id, secret=index))
        return self._accept(notification, shop_id)

    def _verify(self, notification: Notification, shop_id: ShopId) -> int:
        now = self.clock()
        try:
            return verify(notification.signed, secrets=self.secrets.of(shop_id), now=now)
        except Unverified as exc:
            if exc.reason not in (Reason.MISMATCH, Reason.NO_SECRET):
                raise
        return verify(notification.signed, secrets=self.secrets.reread(shop_id), now=now)

    def _accept(self, notification: Notification, shop_id: ShopId) -> int:
        resource = notification.signed.data_id
        if resource is None or notification.topic not in TOPICS:
            return 200
        return self._publish(
            NotificationReceived(
                shop_id=shop_id,
                topic=notification.topic,
                resource_id=resource,
                received_at=self.clock(),
                request=notification.raw,
            ),
            answer=200,
        )

    def _refuse(self, notification: Notification, shop_id: ShopId, *, reason: Reason) -> int:
        log.warning("notification refused", extra=_facts(notification, shop_id, reason=reason))
        if reason is Reason.NO_SECRET:
            return 500  # Fail closed, and let Mercado Pago come back once there is a secret.
        resource = notification.signed.data_id
        is_odd = reason is not Reason.MISMATCH or resource is None
        if is_odd or notification.topic not in TOPICS or not self.budget.take():
            return 401
        return self._publish(
            NotificationQuarantined(
                shop_id=shop_id,
                topic=notification.topic,
                resource_id=str(resource),
                reason=reason.value,
                received_at=self.clock(),
                request=notification.raw,
            ),
            answer=401,
        )

    def _publish(self, event: Event, *, answer: int) -> int:
        try:
            self.publisher.publish(seal(event, now=self.clock()))
        except MessagingUnavailable:
            log.exception("notification not published")
            return 503
        return answer


def _facts(notification: Notification, shop_id: ShopId, **more: object) -> dict[str, object]:
    signed = notification.signed
    facts = {"shop": shop_id, "resource": signed.data_id, "topic": notification.topic}
    return {**facts, "request_id": signed.request_id, **more}
