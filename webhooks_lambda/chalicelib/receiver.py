"""Decide what a notification is worth: verify, publish as a fact, answer.

A `Notification` arrives; `NotificationReceived` or `NotificationQuarantined` leaves for payments.
SNS's acknowledgement makes it durable, so the answer is 200 only after it. What does not verify is
answered with 401 even when it was quarantined: Mercado Pago, if it was, tries again while an
operator mends the secret.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from comanda.envelope import Envelope, seal
from comanda.events import Event, NotificationQuarantined, NotificationReceived
from comanda.ids import ShopId
from comanda.mercadopago.signature import Reason, Unverified, verify
from comanda.messaging.ports import MessagingUnavailable
from comanda.traceparent import passed_on

from .budget import Budget
from .metrics import counted
from .notification import NAMED_IN_THE_BODY, Notification

log = logging.getLogger("webhooks_lambda")
# Whatever else Mercado Pago can announce changes nothing here.
TOPICS = NAMED_IN_THE_BODY | {"payment", "order", "orders"}
# Worth a re-read of a charge that we know: a wrong secret, or a QR code's unsigned notification.
DOUBTFUL = frozenset({Reason.MISMATCH, Reason.MISSING_SIGNATURE})
CONTRADICTION = "the body and the query name different resources"


class Secrets(Protocol):
    """Where the webhook secrets of a shop come from."""

    def of(self, shop_id: ShopId) -> tuple[str, ...]:
        """Give the secrets, newest first."""

    def reread(self, shop_id: ShopId) -> tuple[str, ...]:
        """Give the secrets after a mismatch; they may have been rotated."""


class Publisher(Protocol):
    """Where the facts go."""

    def publish(self, envelope: Envelope) -> None:
        """Publish, and return once it is durable; raise `MessagingUnavailable`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The status of the answer, and why when it is not 200."""

    status: int
    reason: str = ""


ACCEPTED = Outcome(status=200)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receiver:
    """All that a verdict needs."""

    secrets: Secrets
    publisher: Publisher
    budget: Budget
    clock: Callable[[], datetime]
    # The share of notifications whose trace begins here, and is recorded.
    traces_ratio: float = 0.0

    def receive(self, notification: Notification, *, shop_id: ShopId) -> Outcome:
        """Publish what is worth it and say how to answer."""
        if notification.is_ipn:
            # IPN cannot be verified, and refusing it would make it come back for days.
            _tell(notification, shop_id, outcome="ipn_ignored")
            return ACCEPTED
        try:
            index = self._verify(notification, shop_id)
        except Unverified as exc:
            return self._refuse(notification, shop_id, reason=exc.reason)
        if notification.is_contradictory:
            _tell(notification, shop_id, outcome="contradictory", level=logging.ERROR)
            return Outcome(status=400, reason=CONTRADICTION)
        return self._accept(notification, shop_id, secret=index)

    def _verify(self, notification: Notification, shop_id: ShopId) -> int:
        now = self.clock()
        try:
            return verify(notification.signed, secrets=self.secrets.of(shop_id), now=now)
        except Unverified as exc:
            if exc.reason not in (Reason.MISMATCH, Reason.NO_SECRET):
                raise
        return verify(notification.signed, secrets=self.secrets.reread(shop_id), now=now)

    def _accept(self, notification: Notification, shop_id: ShopId, *, secret: int) -> Outcome:
        resource = notification.resource_id
        if resource is None or notification.topic not in TOPICS:
            _tell(notification, shop_id, outcome="not_ours", secret=secret)
            return ACCEPTED
        _tell(notification, shop_id, outcome="verified", secret=secret)
        event = NotificationReceived(
            shop_id=shop_id,
            topic=notification.topic,
            resource_id=resource,
            received_at=self.clock(),
            request=notification.raw,
            reason=f"secret {secret}",
        )
        return self._publish(event, notification, then=ACCEPTED)

    def _refuse(self, notification: Notification, shop_id: ShopId, *, reason: Reason) -> Outcome:
        level = logging.ERROR if reason is Reason.NO_SECRET else logging.WARNING
        _tell(notification, shop_id, outcome=reason.value, level=level)
        if reason is Reason.NO_SECRET:
            # Fail closed, and let Mercado Pago come back once there is a secret.
            return Outcome(status=500, reason=reason.value)
        refusal = Outcome(status=401, reason=reason.value)
        resource = notification.signed.data_id
        is_odd = reason not in DOUBTFUL or resource is None or notification.is_contradictory
        if is_odd or notification.topic not in TOPICS or not self.budget.take():
            return refusal
        event = NotificationQuarantined(
            shop_id=shop_id,
            topic=notification.topic,
            resource_id=str(resource),
            reason=reason.value,
            received_at=self.clock(),
            request=notification.raw,
        )
        return self._publish(event, notification, then=refusal)

    def _publish(self, event: Event, cause: Notification, *, then: Outcome) -> Outcome:
        traceparent = passed_on(cause.traceparent, ratio=self.traces_ratio)
        envelope = replace(seal(event, now=self.clock()), traceparent=traceparent)
        try:
            self.publisher.publish(envelope)
        except MessagingUnavailable:
            log.exception("notification not published", extra=counted("not_published"))
            return Outcome(status=503, reason="it could not be published; send it again")
        return then


def _tell(
    notification: Notification,
    shop_id: ShopId,
    *,
    outcome: str,
    level: int = logging.INFO,
    **more: object,
) -> None:
    facts = {
        "shop": shop_id,
        "resource": notification.resource_id,
        "topic": notification.topic,
        "request_id": notification.signed.request_id,
    }
    log.log(level, "notification judged", extra={**facts, **more, **counted(outcome)})
