"""The checker of what clients saw refuses histories that cannot be."""

import pytest

from local.chaos.history import History, Sight, violations


def history(*sights: tuple[str, float, float], order: str = "o") -> History:
    seen = [Sight(order_id=order, status=s, asked=asked, told=told) for s, asked, told in sights]
    return History(sights=seen)


def test_an_order_that_goes_its_way_violates_nothing() -> None:
    seen = history(("PENDING_PAYMENT", 0, 1), ("RECEIVED", 2, 3), ("COMPLETED", 4, 5))

    assert violations(seen, final={"o": "COMPLETED"}) == []


def test_an_acknowledged_order_that_is_gone_is_told() -> None:
    seen = history(("PENDING_PAYMENT", 0, 1))

    assert violations(seen, final={}) == ["o was acknowledged and is gone"]


def test_one_key_with_two_orders_is_told() -> None:
    seen = History(keys={"k": {"o-1", "o-2"}})

    assert violations(seen, final={}) == ["key k made 2 orders: ['o-1', 'o-2']"]


def test_a_read_that_began_after_another_had_ended_must_not_be_older() -> None:
    seen = history(("READY", 0, 1), ("RECEIVED", 2, 3))

    assert violations(seen, final={"o": "COMPLETED"}) == ["o was READY and later RECEIVED"]


def test_reads_that_overlap_may_disagree() -> None:
    seen = history(("READY", 0, 3), ("RECEIVED", 1, 2))

    assert violations(seen, final={"o": "COMPLETED"}) == []


@pytest.mark.parametrize(("seen", "last"), [("COMPLETED", "READY"), ("CANCELLED", "RECEIVED")])
def test_what_was_seen_does_not_become_undone(seen: str, last: str) -> None:
    assert violations(history((seen, 0, 1)), final={"o": last}) == [
        f"o was seen {seen} and ended as {last}"
    ]


def test_a_paid_order_may_be_called_off() -> None:
    assert violations(history(("RECEIVED", 0, 1)), final={"o": "CANCELLED"}) == []
