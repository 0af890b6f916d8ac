"""What people pay back and close is done once, within what came, and says who; on both stores."""

from datetime import timedelta

import pytest

from comanda.envelope import seal
from comanda.ids import ChargeId
from comanda.money import Money
from tests.payments_builders import SHOP, Counter, notification, reserved
from workers.payments.cases import Resolution
from workers.payments.decisions import NotRefundable
from workers.payments.model import ChargeStatus, ProviderStatus
from workers.payments.operators import (
    CaseUnknown,
    ChargeUnknown,
    KeyReused,
    RefundWish,
    refund_by_operator,
    resolve_case,
)

S, P = ChargeStatus, ProviderStatus


def wish(charge_id: ChargeId, amount: str | None = None, *, key: str = "k-1") -> RefundWish:
    return RefundWish(
        shop_id=SHOP,
        charge_id=charge_id,
        key=key,
        amount=Money.parse(amount) if amount else None,
        reason="the customer waited too long",
        by="ana",
    )


async def test_an_old_refund_is_sent_although_an_equal_one_was_done(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    await refund_by_operator(wish(charge.id, "10.00"), payments=counter.payments)
    await counter.settle()
    counter.provider.faults.is_down = True
    await refund_by_operator(wish(charge.id, "10.00", key="k-2"), payments=counter.payments)
    await counter.settle()
    counter.clock.now += timedelta(hours=3)
    counter.provider.faults.is_down = False

    await counter.settle()

    assert await counter.balance() == ("58.80", "20.00", "0.00")


async def test_operators_pay_back_a_part_and_then_the_rest(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    await refund_by_operator(wish(charge.id, "10.00"), payments=counter.payments)
    await counter.settle()
    part = await counter.charge()
    await refund_by_operator(wish(charge.id, key="k-2"), payments=counter.payments)

    await counter.settle()

    assert part.status is S.PARTIALLY_REFUNDED
    assert (await counter.charge()).status is S.REFUNDED
    assert await counter.balance() == ("58.80", "58.80", "0.00")
    assert (await counter.sent())[2:] == ["PaymentRefunded", "PaymentRefunded"]


async def test_the_same_key_is_the_same_refund_and_another_wish_under_it_is_refused(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    first = await refund_by_operator(wish(charge.id, "10.00"), payments=counter.payments)

    again = await refund_by_operator(wish(charge.id, "10.00"), payments=counter.payments)
    with pytest.raises(KeyReused):
        await refund_by_operator(wish(charge.id, "11.00"), payments=counter.payments)
    with pytest.raises(KeyReused):
        await refund_by_operator(wish(charge.id), payments=counter.payments)
    await counter.settle()

    assert (first[0].id, first[1], again[1]) == (again[0].id, False, True)
    assert await counter.balance() == ("58.80", "10.00", "0.00")


async def test_refunds_never_add_up_to_more_than_what_came(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    await refund_by_operator(wish(charge.id, "50.00"), payments=counter.payments)

    with pytest.raises(NotRefundable):
        await refund_by_operator(wish(charge.id, "8.81", key="k-2"), payments=counter.payments)
    await refund_by_operator(wish(charge.id, "8.80", key="k-3"), payments=counter.payments)
    await counter.settle()

    assert await counter.balance() == ("58.80", "58.80", "0.00")


async def test_what_was_never_paid_cannot_be_paid_back(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()

    with pytest.raises(NotRefundable):
        await refund_by_operator(wish(charge.id), payments=counter.payments)
    with pytest.raises(ChargeUnknown):
        await refund_by_operator(wish(ChargeId("nobody's")), payments=counter.payments)


async def test_a_case_is_closed_once_with_who_and_why_and_stays_closed(counter: Counter) -> None:
    counter.provider.orders["a"] = counter.provider.stranger("A")
    await counter.deliver(notification("A"))
    (case,) = await counter.reader.open_cases(SHOP, limit=5)
    settled = Resolution(by="ana", reason="a tip by Pix")

    await resolve_case(SHOP, case.id or 0, settled, payments=counter.payments)
    with pytest.raises(CaseUnknown):
        await resolve_case(SHOP, case.id or 0, settled, payments=counter.payments)
    await counter.deliver(notification("A", at=counter.clock()))

    assert await counter.kinds() == []


async def test_the_ledger_says_who_told_each_line(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, P.PAID)
    message = seal(counter.notified(charge), now=counter.clock())
    await counter.deliver(message.event, message=message)
    await refund_by_operator(wish(charge.id, "1.00"), payments=counter.payments)
    await counter.settle()

    lines = await counter.reader.ledger(SHOP, charge.id)

    told = [(line.entry.kind.value, str(line.entry.amount), line.source) for line in lines]
    assert told == [
        ("charged", "58.80", f"webhook {message.id}"),
        ("refunded", "1.00", "operator"),
    ]
