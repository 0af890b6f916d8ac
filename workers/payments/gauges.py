"""The money invariants of payments as gauges of its worker, measured from its own store."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from prometheus_client import Gauge

from comanda.ids import ShopId
from workers.payments.cases import CaseKind
from workers.payments.reports import Exposure
from workers.payments.sweeping import LONG_PLANS, PLANS

OPEN_CASES = Gauge("comanda_payments_open_cases", "Open cases.", ["shop", "kind"])
UNACCOUNTED = Gauge(
    "comanda_payments_unaccounted_charges",
    "Charges with money that is neither the order's, nor refunded, nor a case; must be 0.",
    ["shop"],
)
OPEN_ATTEMPTS = Gauge(
    "comanda_payments_open_attempts", "Refunds and cancellations under way.", ["shop"]
)
OLDEST_ATTEMPT = Gauge(
    "comanda_payments_oldest_attempt_seconds", "Age of the oldest of them.", ["shop"]
)
OLDEST_UNSETTLED = Gauge(
    "comanda_payments_oldest_unsettled_charge_seconds",
    "Age of the oldest charge of which nobody knows whether the provider made it.",
    ["shop"],
)
OVERDUE_CHECKS = Gauge(
    "comanda_payments_overdue_checks",
    "Open charges that should have been asked about over five minutes ago; must be 0.",
    ["shop"],
)
SWEPT_AGO = Gauge(
    "comanda_payments_sweep_age_seconds",
    "Up to how long ago the provider's own list is known; infinite before the first sweep.",
    ["shop", "sweep"],
)
REPAIRS = Gauge(
    "comanda_payments_repairs_of_a_day",
    "Charges that asking moved on within a day, because no notification had; should be few.",
    ["shop"],
)
REFUSALS = Gauge(
    "comanda_payments_refused_transitions_of_a_day",
    "Steps that the provider told within a day and our table does not know.",
    ["shop"],
)


class ExposureReader(Protocol):
    """Whoever measures a shop."""

    async def exposure(self, shop_id: ShopId, *, now: datetime) -> Exposure:
        """Measure what the gauges show."""


async def measure(
    shops: Sequence[ShopId], *, reader: ExposureReader, clock: Callable[[], datetime]
) -> None:
    """Set the gauges of all shops."""
    for shop_id in shops:
        exposure = await reader.exposure(shop_id, now=clock())
        for kind in CaseKind:
            count = exposure.open_cases.get(kind.value, 0)
            OPEN_CASES.labels(shop_id, kind.value).set(count)
        UNACCOUNTED.labels(shop_id).set(exposure.unaccounted)
        OPEN_ATTEMPTS.labels(shop_id).set(exposure.open_attempts)
        OLDEST_ATTEMPT.labels(shop_id).set(exposure.oldest_attempt.total_seconds())
        OLDEST_UNSETTLED.labels(shop_id).set(exposure.oldest_unsettled.total_seconds())
        OVERDUE_CHECKS.labels(shop_id).set(exposure.overdue_checks)
        REPAIRS.labels(shop_id).set(exposure.repairs_of_a_day)
        REFUSALS.labels(shop_id).set(exposure.refusals_of_a_day)
        for plan in (*PLANS, *LONG_PLANS):
            ago = exposure.swept_ago.get(plan.name)
            SWEPT_AGO.labels(shop_id, plan.name).set(ago.total_seconds() if ago else math.inf)
