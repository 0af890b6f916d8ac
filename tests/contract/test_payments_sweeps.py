"""A sweep of the provider's payments finds all that nobody told of; on both stores."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from comanda.ids import OrderId
from comanda.mercadopago.values import Flavour
from tests.payments_builders import SHOP, Counter, creating, notification, reserved
from workers.payments.model import ChargeStatus, ProviderStatus
from workers.payments.reconciliation import reconcile
from workers.payments.sweeping import LONG_PLANS, PLANS, sweep_shops

S, P = ChargeStatus, ProviderStatus


async def sweep(counter: Counter) -> int:
    counter.clock.now += timedelta(hours=2)
    return await sweep_shops([SHOP], desk=counter.desk)


async def test_a_sweep_finds_money_that_nobody_told_of(counter: Counter) -> None:
    counter.provider.orders["a"] = counter.provider.stranger("A")
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, P.PAID)

    first, second = await sweep(counter), await sweep(counter)

    assert first >= 2
    assert await counter.kinds() == ["paid_and_unknown"]
    assert (await counter.charge()).status is S.PAID
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]
    assert second <= 2  # The stranger is looked at again, and no second case is opened.


async def test_a_sweep_finds_late_and_second_payments_and_they_go_back(counter: Counter) -> None:
    for order in ("order-1", "order-2"):
        await counter.deliver(reserved(OrderId(order)))
    first, second = [await counter.charge(OrderId(f"order-{n}")) for n in (1, 2)]
    counter.provider.change(first.id, P.EXPIRED)
    await counter.deliver(counter.notified(first))
    counter.provider.change(first.id, P.PAID)
    await counter.paid(OrderId("order-2"))
    counter.provider.pay_again(second.id)

    await sweep(counter)
    before = sorted(await counter.kinds())
    await counter.settle()
    quiet = await sweep(counter)

    assert before == ["paid_late", "second_payment"]
    assert (await counter.kinds(), quiet) == ([], 0)
    assert (await counter.totals())[0] == "176.40"
    assert str((await counter.reader.totals(SHOP)).refunded) == "117.60"


async def test_a_second_payment_that_may_be_the_first_is_left_to_a_human(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.orders[charge.id] = replace(
        counter.provider.orders[charge.id], numbers=frozenset()
    )
    await counter.paid()
    counter.provider.pay_again(charge.id)

    await sweep(counter)
    await counter.settle()

    assert await counter.kinds() == ["second_payment"]
    assert counter.provider.calls.refunds == 0


@pytest.mark.parametrize("by", ["number and parent", "number", "parent"])
async def test_the_payment_behind_an_order_is_not_a_second_one(counter: Counter, by: str) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    paid = counter.provider.change(charge.id, P.PAID)
    number = next(n for n in paid.numbers if n.isdigit())
    behind = replace(paid, provider_id=number, flavour=Flavour.PAYMENTS, numbers=frozenset())
    parent = paid.provider_id if "parent" in by else None
    if "number" not in by:
        counter.provider.orders[charge.id] = replace(paid, numbers=frozenset({"other"}))
    counter.provider.orders["behind"] = replace(behind, parent_id=parent)

    await counter.deliver(notification(number, at=counter.clock(), topic="payment"))
    await sweep(counter)

    assert (await counter.charge()).status is S.PAID
    assert await counter.balance() == ("58.80", "0.00", "0.00")
    assert (await counter.kinds(), counter.provider.calls.refunds) == ([], 0)


async def test_a_payment_told_before_its_order_is_known_waits_for_it(counter: Counter) -> None:
    charge = creating(shop_id=SHOP, request=b"{}")
    await counter.payments.open(charge)
    told = replace(counter.provider.stranger("900"), flavour=Flavour.PAYMENTS, reference=charge.id)
    counter.provider.orders["900"] = told

    await counter.deliver(notification("900", at=counter.clock(), topic="payment"))

    assert (await counter.charge()).status is S.CREATING
    assert await counter.kinds() == []


async def test_money_of_nobody_that_went_back_is_a_case_no_more(counter: Counter) -> None:
    counter.provider.orders["A"] = counter.provider.stranger("A")
    await sweep(counter)
    before = await counter.kinds()
    counter.provider.orders["A"] = replace(counter.provider.orders["A"], status=P.REFUNDED)

    await sweep(counter)

    assert (before, await counter.kinds()) == (["paid_and_unknown"], [])


async def test_our_order_under_anothers_reference_is_a_mismatch_and_no_stranger(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    astray = replace(counter.provider.orders[charge.id], reference="theirs")
    counter.provider.orders[charge.id] = astray

    await sweep(counter)

    assert await counter.kinds() == ["reference_mismatch"]


async def test_what_a_sweep_lists_of_an_order_is_not_read_again(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, P.PAID)
    before = counter.provider.calls.fetches

    await sweep(counter)

    assert (await counter.charge()).status is S.PAID
    assert counter.provider.calls.fetches == before


async def test_a_fact_that_cannot_be_applied_hides_none_of_those_behind_it(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    poison = counter.provider.stranger("A")
    counter.provider.orders["A"] = replace(poison, provider_id="\0", reference=cast("str", None))
    counter.provider.orders["B"] = counter.provider.stranger("B")

    await sweep(counter)

    report = await counter.reader.reconciliation(SHOP, since=counter.clock.now)
    assert [case.subject for case in await counter.reader.open_cases(SHOP, limit=9)] == ["B"]
    assert report.swept_until == {}
    assert "fact not applied" in caplog.text


async def test_a_chargeback_after_weeks_is_found_though_nobody_told(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    counter.clock.now += timedelta(days=40)
    counter.provider.change(charge.id, P.CHARGED_BACK)
    elder = counter.provider.stranger("STRANGER1")
    counter.provider.orders[elder.provider_id] = elder

    await sweep_shops([SHOP], desk=counter.desk, plans=LONG_PLANS)
    again = await sweep_shops([SHOP], desk=counter.desk, plans=LONG_PLANS)
    counter.clock.now += timedelta(days=1)
    known = await sweep_shops([SHOP], desk=counter.desk, plans=LONG_PLANS)

    assert (await counter.charge()).status is S.CHARGED_BACK
    assert "charged_back" in await counter.kinds()
    assert "paid_and_unknown" not in await counter.kinds()
    assert (again, known) == (0, 0)


async def test_a_sweep_is_taken_by_one_pod_and_an_outage_leaves_its_window(
    counter: Counter,
) -> None:
    counter.provider.faults.is_down = True
    await sweep(counter)
    report = await counter.reader.reconciliation(SHOP, since=counter.clock.now)
    counter.provider.faults.is_down = False
    counter.provider.orders["a"] = counter.provider.stranger("A")
    counter.clock.now += timedelta(hours=2)

    found = [await sweep_shops([SHOP], desk=counter.desk) for _ in range(2)]

    assert report.swept_until == {}
    assert found[0] >= 1
    assert found[1] == 0
    after = await counter.reader.reconciliation(SHOP, since=counter.clock.now)
    assert set(after.swept_until) == {plan.name for plan in PLANS}


async def test_the_report_tells_matched_repaired_and_open(counter: Counter) -> None:
    since = counter.clock()
    for n in range(3):
        await counter.deliver(reserved(OrderId(f"order-{n}")))
    await counter.paid(OrderId("order-0"))
    lost = await counter.charge(OrderId("order-1"))
    counter.provider.change(lost.id, P.PAID)
    counter.provider.orders["a"] = counter.provider.stranger("A")
    await counter.deliver(notification("A", at=counter.clock()))
    counter.clock.now += timedelta(seconds=20)
    await reconcile(counter.desk)

    report = await counter.reader.reconciliation(SHOP, since=since)

    (repair,) = report.repaired
    assert (repair.charge_id, repair.before, repair.after) == (lost.id, S.WAITING, S.PAID)
    assert (report.matched, report.waiting, report.open_cases) == (1, 1, 1)
    assert repair.source == "poll"
