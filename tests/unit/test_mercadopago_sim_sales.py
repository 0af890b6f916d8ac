"""A sale at the provider: legal transitions only, exact sums, and a faithful record."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from comanda.money import Money
from local.mercadopago.records import read_sale, write_sale
from local.mercadopago.sales import (
    TRANSITIONS,
    WORDS,
    Api,
    Dispute,
    IllegalTransition,
    Refund,
    Sale,
    State,
)

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def sale(**changes: Any) -> Sale:
    facts: dict[str, Any] = {
        "id": "ORD1",
        "api": Api.ORDERS,
        "kind": "online",
        "number": "123456789012",
        "shop": "s",
        "reference": "r",
        "amount": Money(5880),
        "receiver": "42",
        "pix_code": "000201",
        "created_at": NOW,
        "updated_at": NOW,
        "expires_at": NOW + timedelta(minutes=30),
        "state": State.WAITING,
    }
    return Sale(**{**facts, **changes})


def refund(cents: int, status: str) -> Refund:
    return Refund(id=f"REF{cents}", amount=Money(cents), status=status, created_at=NOW)


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_only_what_the_table_allows_happens(before: State, after: State) -> None:
    if after in TRANSITIONS[before]:
        assert sale(state=before).become(after, at=NOW).state is after
    else:
        with pytest.raises(IllegalTransition):
            sale(state=before).become(after, at=NOW)


def test_every_change_is_later_than_the_one_before() -> None:
    changed = sale().changed(at=NOW).changed(at=NOW - timedelta(hours=1))

    assert changed.updated_at > sale().changed(at=NOW).updated_at > NOW


def test_refunds_under_way_are_gone_but_not_refunded() -> None:
    refunds = (refund(1000, "approved"), refund(500, "in_process"), refund(2000, "rejected"))
    paid = sale(state=State.PAID, paid=Money(5880), refunds=refunds)

    assert (paid.refunded, paid.refundable) == (Money(1000), Money(4380))
    assert paid.phase == "partially_refunded"


@pytest.mark.parametrize(("cents", "fee"), [(5880, 58), (50, 0), (51, 1), (100, 1), (0, 0)])
def test_the_fee_is_0_99_percent_to_the_nearest_cent(cents: int, fee: int) -> None:
    assert sale(paid=Money(cents)).fee == Money(fee)


def test_a_record_is_read_as_it_was_written() -> None:
    dispute = Dispute(id="1", kind="chargeback", stage="settled", created_at=NOW)
    full = sale(
        state=State.CHARGED_BACK,
        paid=Money(5880),
        paid_at=NOW,
        metadata={"a": [1, "ã"]},
        refunds=(refund(1, "approved"),),
        disputes=(dispute,),
    )

    assert read_sale(write_sale(full)) == full
    assert read_sale(write_sale(sale())) == sale()
    assert full.phase == "settled"


def test_every_state_has_words_in_both_apis() -> None:
    assert {state.value for state in State} <= set(WORDS)
