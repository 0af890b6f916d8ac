"""Facts about no charge of ours, and how loudly each is told; on the store in memory."""

import logging
from dataclasses import replace

import pytest

from comanda.mercadopago.values import Flavour
from comanda.money import Money
from tests.payments_builders import ORDER, SHOP, Counter, fact, memory_counter, reserved
from workers.payments.model import ProviderFact, ProviderStatus, Verdict
from workers.payments.ports import PaymentsUnit
from workers.payments.truth import Found, Stranger, apply_truth
from workers.runtime.errors import RetryLater

P = ProviderStatus


async def told(counter: Counter, said: ProviderFact) -> Found:
    async def finish(_unit: PaymentsUnit, _found: Found) -> None:
        return

    return await apply_truth(said, shop_id=SHOP, desk=counter.desk, source="sweep", finish=finish)


@pytest.mark.parametrize("said", [P.PAID, P.PARTIALLY_REFUNDED, P.DISPUTED, P.CHARGED_BACK])
async def test_money_that_came_for_nobody_is_a_case_wherever_it_stands(
    said: ProviderStatus,
) -> None:
    counter = memory_counter()

    found = await told(counter, fact(said, reference="theirs"))

    assert found.verdict is Stranger.PAID_AND_UNKNOWN
    assert await counter.kinds() == ["paid_and_unknown"]


@pytest.mark.parametrize("said", [P.WAITING, P.EXPIRED, P.CANCELLED, P.REJECTED, P.REFUNDED])
async def test_an_order_of_others_in_which_there_is_no_money_is_no_case(
    said: ProviderStatus,
) -> None:
    counter = memory_counter()

    found = await told(counter, fact(said, reference="theirs"))

    assert (found.verdict, await counter.kinds()) == (Stranger.FOREIGN, [])


async def test_a_case_quotes_no_more_of_a_foreign_reference_than_a_line() -> None:
    counter = memory_counter()

    await told(counter, fact(P.PAID, reference="x" * 100))

    (case,) = await counter.reader.open_cases(SHOP, limit=10)
    assert case.detail == f"paid 58.80 BRL for {'x' * 80!r}, which is not ours"


async def test_a_payment_that_overtakes_the_number_of_our_order_waits_for_it() -> None:
    counter = memory_counter()
    counter.provider.faults.lost_answers = 1
    with pytest.raises(RetryLater):
        await counter.deliver(reserved())
    charge = await counter.charge()
    asked = counter.provider.calls.fetches

    payment = fact(P.PAID, provider_id="900", reference=charge.id, flavour=Flavour.PAYMENTS)
    found = await told(counter, payment)

    assert charge.provider_id is None
    assert (found.verdict, counter.provider.calls.fetches) == (Verdict.UNCHANGED, asked)
    assert (await counter.charge()).status is charge.status


@pytest.mark.parametrize(
    ("said", "verdict", "level"),
    [
        (fact(P.PAID), Verdict.APPLIED, logging.INFO),
        (fact(P.WAITING), Verdict.UNCHANGED, logging.INFO),
        (fact(P.UNRECOGNISED), Verdict.UNRECOGNISED, logging.WARNING),
        (fact(P.PAID, amount=Money.parse("1.00")), Verdict.MISMATCH, logging.WARNING),
    ],
)
async def test_what_a_human_should_see_is_told_as_a_warning(
    said: ProviderFact, verdict: Verdict, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    counter = memory_counter()
    await counter.deliver(reserved())
    made = await counter.charge()
    assert made.provider_id is not None

    said = replace(said, provider_id=made.provider_id, reference=made.id, request_id="req-1")
    with caplog.at_level(logging.INFO, logger="workers.payments.truth"):
        await told(counter, said)

    (record,) = caplog.records
    assert record.levelno == level
    assert (
        vars(record).items()
        >= {
            "verdict": verdict,
            "source": "sweep",
            "request_id": "req-1",
            "provider_id": made.provider_id,
            "charge_id": made.id,
            "order_id": ORDER,
            "status": (await counter.charge()).status,
        }.items()
    )


async def test_a_step_that_is_refused_is_told_as_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counter = memory_counter()
    await counter.deliver(reserved())
    paid = await counter.paid()
    assert paid.provider_id is not None

    late = fact(P.EXPIRED, provider_id=paid.provider_id, reference=paid.id)
    with caplog.at_level(logging.INFO, logger="workers.payments.truth"):
        found = await told(counter, late)

    assert found.verdict is Verdict.REFUSED
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize(("said", "level"), [(P.PAID, logging.WARNING), (P.WAITING, logging.INFO)])
async def test_a_stranger_is_told_loudly_when_there_is_money_in_it(
    said: ProviderStatus, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="workers.payments.truth"):
        await told(memory_counter(), fact(said, reference="theirs"))

    (record,) = caplog.records
    assert record.levelno == level
    assert not {"charge_id", "order_id", "status"} & set(vars(record))
