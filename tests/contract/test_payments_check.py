"""A charge that somebody wants checked now is read at the provider; on memory and PostgreSQL."""

from contextlib import suppress

import pytest

from comanda.ids import ChargeId
from tests.payments_builders import OTHER_SHOP, SHOP, Counter, reserved
from workers.payments.model import ChargeStatus, ProviderStatus
from workers.payments.operators import ChargeUnknown, NothingToAsk, check_charge
from workers.payments.reconciliation import reconcile
from workers.runtime.errors import RetryLater

S, P = ChargeStatus, ProviderStatus


async def check(counter: Counter) -> None:
    charge = await counter.charge()
    await check_charge(SHOP, charge.id, by="ana", payments=counter.desk.payments)


async def test_money_whose_notification_was_lost_is_found_at_once(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()
    counter.provider.change(charge.id, P.PAID)
    before = await reconcile(counter.desk)

    await check(counter)

    assert (before, await reconcile(counter.desk)) == (0, 1)
    assert (await counter.charge()).status is S.PAID
    assert await counter.sent() == ["ChargeCreated", "PaymentApproved"]


async def test_a_charge_that_is_over_is_read_once_and_left_alone_again(counter: Counter) -> None:
    await counter.deliver(reserved())
    await counter.paid()
    fetches = counter.provider.calls.fetches

    await check(counter)
    await reconcile(counter.desk)
    await reconcile(counter.desk)

    assert counter.provider.calls.fetches == fetches + 1
    assert (await counter.charge()).next_check_at is None
    assert await counter.totals() == ("58.80", 0)


async def test_money_that_went_back_in_the_provider_s_panel_is_seen(counter: Counter) -> None:
    await counter.deliver(reserved())
    await counter.paid()
    charge = await counter.charge()
    counter.provider.change(charge.id, P.CHARGED_BACK)

    await check(counter)
    await reconcile(counter.desk)

    assert (await counter.charge()).status is not S.PAID


async def test_nobody_checks_another_shop_s_charge(counter: Counter) -> None:
    await counter.deliver(reserved())
    charge = await counter.charge()

    for shop, charge_id in ((OTHER_SHOP, charge.id), (SHOP, ChargeId("nobody"))):
        with pytest.raises(ChargeUnknown):
            await check_charge(shop, charge_id, by="ana", payments=counter.desk.payments)


async def test_what_the_provider_never_made_cannot_be_asked_for(counter: Counter) -> None:
    counter.provider.faults.is_down = True
    with suppress(RetryLater):
        await counter.deliver(reserved())
    charge = await counter.charge()

    with pytest.raises(NothingToAsk):
        await check_charge(SHOP, charge.id, by="ana", payments=counter.desk.payments)
