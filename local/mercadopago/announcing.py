"""Turn what happened to a sale into notifications on their way, with the faults that strike."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from local.mercadopago import notifications
from local.mercadopago.applications import Application, Applications
from local.mercadopago.clock import VirtualClock
from local.mercadopago.database import Database
from local.mercadopago.faults import Faults
from local.mercadopago.notifications import Notice
from local.mercadopago.sales import Api, Dispute, Sale
from local.mercadopago.schedule import Delivery, Schedule

SIGNING = (
    "webhook_wrong_secret",
    "webhook_unsigned",
    "webhook_milliseconds",
    "webhook_verbatim",
    "webhook_no_request_id",
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Journey:
    """How a notification travels: when, how often, and how it is signed."""

    due: float
    copies: int = 1
    is_held: bool = False
    signing: frozenset[str] = frozenset()


class Announcer:
    """Put notifications on their way, in the transaction of what they tell of."""

    def __init__(
        self,
        *,
        database: Database,
        schedule: Schedule,
        applications: Applications,
        faults: Faults,
        clock: VirtualClock,
        carry: Callable[[Delivery], None],
    ) -> None:
        self._database = database
        self._schedule = schedule
        self._applications = applications
        self._faults = faults
        self._clock = clock
        self._carry = carry

    def tell(self, sale: Sale, *, is_new: bool = False) -> None:
        """Tell of a sale in the words of its API."""
        application = self._application(sale.shop)
        at = self._clock.now()
        is_order = sale.api is Api.ORDERS
        if is_order:
            self._send(sale, notifications.of_order(sale, application, at=at))
        if not is_order or self._strikes("webhook_payment_topic", sale):
            self._send(sale, notifications.of_payment(sale, application, is_new=is_new, at=at))
        if self._strikes("webhook_ipn", sale):
            self._send(sale, notifications.of_ipn(sale))

    def tell_of_dispute(self, sale: Sale, dispute: Dispute) -> None:
        """Tell of a chargeback or a claim."""
        application = self._application(sale.shop)
        at = self._clock.now()
        self._send(sale, notifications.of_dispute(sale, dispute, application, at=at))

    def tell_of_fraud(self, sale: Sale) -> None:
        """Tell of fraud, once."""
        application = self._application(sale.shop)
        self._send(sale, notifications.of_fraud(sale, application, at=self._clock.now()))

    def tell_of_test(self, application: Application, data_id: str) -> None:
        """Send what the panel's button sends."""
        notice = notifications.of_test(data_id, application, at=self._clock.now())
        journey = _Journey(due=self._clock.seconds())
        self._add(notice, application, base=application.webhook_url, journey=journey, sale_id="")

    def _application(self, shop: str) -> Application:
        application = self._applications.of_shop(shop)
        if application is None:
            raise LookupError(f"a sale of a shop without an application: {shop}")
        return application

    def _strikes(self, kind: str, sale: Sale) -> bool:
        return self._number(kind, sale) is not None

    def _number(self, kind: str, sale: Sale) -> float | None:
        if not self._faults:
            return None
        strike = self._faults.strike(kind, shop=sale.shop, reference=sale.reference)
        return None if strike is None else strike.number

    def _send(self, sale: Sale, notice: Notice) -> None:
        if self._strikes("webhook_never", sale):
            return
        application = self._application(sale.shop)
        base = application.webhook_url
        if urlsplit(sale.notification_url).hostname in _LOOPBACK:
            # Any other address is a stranger's, and the simulator calls nobody outside.
            base = sale.notification_url
        journey = self._journey(sale)
        self._add(notice, application, base=base, journey=journey, sale_id=sale.id)

    def _journey(self, sale: Sale) -> _Journey:
        now = self._clock.seconds()
        if not self._faults:
            return _Journey(due=now)
        hold = self._number("webhook_out_of_order", sale)
        if hold is not None and self._schedule.has_held_delivery(sale.id):
            hold = None
        return _Journey(
            due=now + (self._number("webhook_late", sale) or 0.0) + (hold or 0.0),
            copies=int(self._number("webhook_duplicated", sale) or 1),
            is_held=hold is not None,
            signing=frozenset(kind for kind in SIGNING if self._strikes(kind, sale)),
        )

    def _add(
        self,
        notice: Notice,
        application: Application,
        *,
        base: str,
        journey: _Journey,
        sale_id: str,
    ) -> None:
        for _ in range(journey.copies):
            written = notifications.headers(notice, application, faults=journey.signing)
            delivery = self._schedule.add_delivery(
                Delivery(
                    sale=sale_id,
                    shop=application.shop,
                    topic=notice.topic,
                    due=journey.due,
                    url=notifications.address(base, notice.query),
                    headers=notifications.write(written),
                    body=notifications.write(notice.body),
                    is_held=journey.is_held,
                    is_once=notice.is_once,
                )
            )
            self._database.after_commit(lambda delivery=delivery: self._carry(delivery))  # type: ignore[misc]  # A default binds the loop's value.
