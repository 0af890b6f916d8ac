"""A dry run says nothing while the handlers decide as they did, and names what they changed."""

import json
from datetime import timedelta
from typing import Any

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import (
    OrderCancelled,
    OrderReady,
    OrderRecalled,
    OrderStarted,
    PaymentApproved,
)
from local.dry_run.__main__ import envelopes, fetch
from local.dry_run.orders import OrdersDryRun
from local.dry_run.verdicts import Verdict
from tests.archive_builders import NOW, ORDER, SHOP, paid_life
from workers.orders.handlers import HANDLERS, end_unpaid
from workers.orders.ports import Orders

LATER = NOW + timedelta(minutes=5)


def by_hand(event: Any, *, minutes: int = 0) -> Envelope:
    return seal(event, now=LATER + timedelta(minutes=minutes))


def a_day() -> list[Envelope]:
    return [
        *paid_life(),
        by_hand(OrderStarted(shop_id=SHOP, order_id=ORDER)),
        by_hand(OrderReady(shop_id=SHOP, order_id=ORDER), minutes=1),
        by_hand(OrderRecalled(shop_id=SHOP, order_id=ORDER, status="IN_PREPARATION"), minutes=2),
        by_hand(
            OrderCancelled(shop_id=SHOP, order_id=ORDER, reason="cancelled_by_staff"), minutes=3
        ),
    ]


async def test_the_same_handlers_decide_the_same_whatever_order_events_come_in() -> None:
    for events in (a_day(), a_day()[::-1]):
        verdict = await OrdersDryRun(events).run()

        assert (verdict.differences, verdict.judged) == ([], 7)


async def test_a_handler_that_forgets_to_tell_is_found() -> None:
    async def forgetful(message: Envelope, *, orders: Orders) -> None:
        async with orders.begin(message):
            pass

    verdict = await OrdersDryRun(a_day(), handlers={**HANDLERS, PaymentApproved: forgetful}).run()

    first = verdict.differences[0]
    assert (first.type, first.subject) == ("payments.payment.approved.v1", ORDER)
    assert (first.then, first.now) == ((f"orders.order.paid.v1(order_id={ORDER})",), ())
    # What the kitchen did to an order that was never paid is refused now.
    assert "IllegalTransition" in verdict.differences[1].now[0]


async def test_a_handler_that_decides_otherwise_is_found() -> None:
    verdict = await OrdersDryRun(
        a_day()[:6], handlers={**HANDLERS, PaymentApproved: end_unpaid}
    ).run()

    (only,) = verdict.differences
    assert only.now == ("InvalidMessage: payments.payment.approved.v1 ends no order",)


async def test_an_order_that_was_placed_before_the_window_is_not_judged() -> None:
    verdict = await OrdersDryRun(a_day()[1:]).run()

    assert (verdict.judged, verdict.differences) == (0, [])
    assert verdict.skipped == {"its order was placed before the window": 7}


class PagedDoor:
    """Answers pages as the archive does: the newest first, so many at most."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = sorted(events, key=lambda it: it["time"], reverse=True)

    def read(self, shop: str, path: str) -> Any:
        until = path.partition("until=")[2].partition("&")[0].replace("%3A", ":")
        until = until.replace("%2B", "+")
        return {"events": [it for it in self._events if it["time"] < until][:1000]}


def shown(envelope: Envelope, *, number: int, second: int) -> dict[str, Any]:
    body = json.loads(envelope.to_json())
    at = NOW + timedelta(seconds=second)
    return {
        "id": f"{number:05d}",
        "type": body["type"],
        "subject": body["subject"],
        "time": at.isoformat(timespec="microseconds"),
        "correlation_id": body["correlationid"],
        "causation_id": None,
        "data": body["data"],
    }


@pytest.mark.parametrize("per_second", [1, 7])
def test_all_pages_of_a_window_are_read_and_no_event_twice(per_second: int) -> None:
    one = by_hand(OrderStarted(shop_id=SHOP, order_id=ORDER))
    events = [shown(one, number=n, second=n // per_second) for n in range(2500)]
    until = (NOW + timedelta(hours=2)).isoformat(timespec="microseconds")

    found = list(fetch(PagedDoor(events), SHOP, since="", until=until))  # type: ignore[arg-type]

    assert sorted(it["id"] for it in found) == [it["id"] for it in events]


def test_an_event_that_this_version_does_not_know_is_counted() -> None:
    verdict = Verdict()
    one = shown(by_hand(OrderStarted(shop_id=SHOP, order_id=ORDER)), number=1, second=1)

    found = envelopes(iter([one, {**one, "type": "orders.order.eaten.v9"}]), SHOP, verdict)

    assert (len(found), verdict.skipped) == (1, {"this version cannot read it": 1})
