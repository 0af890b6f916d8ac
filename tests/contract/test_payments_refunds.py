"""Money that must go back goes back once, whatever fails; run on memory and on PostgreSQL."""

from datetime import timedelta

from comanda.ids import OrderId
from comanda.mercadopago.values import RefundState
from comanda.money import Money
from tests.payments_builders import ORDER, PRICE, SHOP, Counter, cancelled, notification, reserved
from workers.payments.attempts import AttemptStatus
from workers.payments.errands import run_errands
from workers.payments.model import ChargeStatus, ProviderFact, ProviderStatus

S, P = ChargeStatus, ProviderStatus


async def expired_and_paid(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, P.EXPIRED)
    await counter.deliver(counter.notified(charge))
    await counter.paid()


async def test_money_after_the_end_goes_back_by_itself_and_its_case_closes(
    counter: Counter,
) -> None:
    await expired_and_paid(counter)
    late, before = await counter.charge(), await counter.kinds()

    await counter.settle()

    assert (late.status, before) == (S.PAID_LATE, ["paid_late"])
    assert (await counter.charge()).status is S.REFUNDED
    assert await counter.balance() == ("58.80", "58.80", "0.00")
    assert await counter.kinds() == []
    assert await counter.sent() == ["ChargeCreated", "PaymentFailed", "PaymentRefunded"]
    assert counter.provider.calls.refunds == 1


async def test_an_order_cancelled_while_its_code_waits_is_cancelled_at_the_provider(
    counter: Counter,
) -> None:
    await counter.deliver(reserved())
    await counter.deliver(cancelled())

    await counter.settle()

    charge = await counter.charge()
    assert (charge.status, counter.provider.calls.cancels) == (S.CANCELLED, 1)
    assert counter.provider.orders[charge.id].status is P.CANCELLED
    assert await counter.sent() == ["ChargeCreated"]


async def test_an_order_cancelled_while_its_charge_is_made_is_cancelled_at_the_provider(
    counter: Counter,
) -> None:
    async def cancel(_: ProviderFact) -> None:
        await counter.deliver(cancelled())

    counter.provider.faults.before_answer = cancel
    await counter.deliver(reserved())

    await counter.settle()

    assert (await counter.charge()).status is S.CANCELLED
    assert await counter.sent() == []


async def test_an_order_cancelled_after_its_payment_is_paid_back(counter: Counter) -> None:
    await counter.deliver(reserved())
    await counter.paid()
    await counter.deliver(cancelled())
    await counter.deliver(cancelled())
    before = await counter.kinds()

    await counter.settle()

    assert before == ["paid_and_cancelled"]
    assert (await counter.charge()).status is S.REFUNDED
    assert (await counter.kinds(), counter.provider.calls.refunds) == ([], 1)


async def test_a_payment_that_wins_against_our_cancellation_goes_back(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.faults.before_cancel = lambda _: (
        counter.provider.change(charge.id, P.PAID) and None
    )
    await counter.deliver(cancelled())

    await counter.settle()

    assert (await counter.charge()).status is S.REFUNDED
    assert await counter.balance() == ("58.80", "58.80", "0.00")
    assert "PaymentApproved" not in await counter.sent()


async def test_a_second_payment_goes_back_and_the_first_one_stays(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    second = counter.provider.pay_again(charge.id)
    await counter.deliver(notification(second.provider_id, at=counter.clock(), topic="payment"))
    await counter.deliver(notification(second.provider_id, at=counter.clock(), topic="payment"))
    before = await counter.kinds()

    await counter.settle()

    after = await counter.charge()
    assert before == ["second_payment"]
    assert (after.status, await counter.balance()) == (S.PAID, ("58.80", "0.00", "0.00"))
    assert after.balance_of(second.provider_id).left == Money(0)
    assert (await counter.kinds(), counter.provider.calls.refunds) == ([], 1)
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]


async def test_a_refund_whose_answer_is_lost_is_repeated_with_the_same_bytes_and_key(
    counter: Counter,
) -> None:
    await expired_and_paid(counter)
    counter.provider.faults.lost_answers = 2

    await counter.settle()

    keys = counter.provider.calls.keys
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert await counter.balance() == ("58.80", "58.80", "0.00")


async def test_a_refusal_while_the_refund_is_in_process_is_followed_to_its_end(
    counter: Counter,
) -> None:
    await expired_and_paid(counter)
    counter.provider.faults.refund_refusal = "3005"
    counter.provider.faults.refund_state = RefundState.IN_PROCESS
    await counter.settle(turns=2)
    halfway = await counter.charge()
    counter.provider.finish_refunds(RefundState.DONE)
    counter.clock.now += timedelta(hours=1)

    await counter.settle()

    assert halfway.status is S.REFUNDING
    assert (await counter.charge()).status is S.REFUNDED
    assert counter.provider.calls.refunds == 1
    (attempt,) = await counter.reader.attempts_of(SHOP, halfway.id)
    assert (attempt.status, attempt.provider_refund_id) == (AttemptStatus.DONE, "RF1")


async def test_a_refund_that_the_provider_gives_up_is_a_case(counter: Counter) -> None:
    await expired_and_paid(counter)
    counter.provider.faults.refund_state = RefundState.IN_PROCESS
    await counter.settle(turns=1)
    counter.provider.finish_refunds(RefundState.FAILED)
    counter.clock.now += timedelta(hours=1)

    await counter.settle()

    assert (await counter.charge()).status is S.REFUNDING
    assert sorted(await counter.kinds()) == ["paid_late", "refund_failed"]


async def test_a_refund_that_stays_open_for_an_hour_is_a_case_until_it_ends(
    counter: Counter,
) -> None:
    await expired_and_paid(counter)
    counter.provider.faults.refund_state = RefundState.IN_PROCESS
    await counter.settle(turns=2)
    counter.clock.now += timedelta(hours=2)
    await counter.settle(turns=1)
    stuck = await counter.kinds()
    counter.provider.finish_refunds(RefundState.DONE)
    counter.clock.now += timedelta(hours=2)

    await counter.settle()

    assert sorted(stuck) == ["paid_late", "refund_stuck"]
    assert await counter.kinds() == []


async def test_a_refund_from_the_providers_panel_is_booked_and_told(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.paid()
    counter.provider.refund_from_panel(charge.id, PRICE)
    await counter.deliver(counter.notified(charge))

    assert (await counter.charge()).status is S.REFUNDED
    assert (await counter.sent())[-1] == "PaymentRefunded"
    assert await counter.kinds() == []


async def test_a_provider_that_is_down_puts_a_refund_off_and_loses_none(counter: Counter) -> None:
    await expired_and_paid(counter)
    counter.provider.faults.is_down = True
    for _ in range(3):
        await run_errands(counter.desk)
        counter.clock.now += timedelta(minutes=1)
    counter.provider.faults.is_down = False

    await counter.settle()

    assert (await counter.charge()).status is S.REFUNDED


async def test_two_pods_carry_out_each_attempt_once(counter: Counter) -> None:
    orders = [OrderId(f"order-{n}") for n in range(8)]
    for order in orders:
        await counter.deliver(reserved(order))
        await counter.paid(order)
        await counter.deliver(cancelled(order))

    done = [await run_errands(counter.desk) for _ in range(2)]

    assert done == [8, 0]
    assert counter.provider.calls.refunds == 8
    assert {(await counter.charge(order)).status for order in orders} == {S.REFUNDED}
    assert (await counter.totals(), ORDER) == (("470.40", 0), "order-1")
