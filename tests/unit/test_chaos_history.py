"""The checker of what clients saw refuses histories that cannot be."""

from dataclasses import replace

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


ONE = Sight(
    order_id="o",
    status="RECEIVED",
    asked=0,
    told=1,
    version=3,
    lines=(("x", 1),),
    total="10.00",
)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(ONE, asked=2, told=3), None),
        (replace(ONE, asked=2, told=3, version=2), "o was at version 3 and later at 2"),
        (
            replace(ONE, status="READY"),
            "o was READY and RECEIVED in one version, 3",
        ),
        (replace(ONE, total="9.00"), "o was said to cost 10.00 and 9.00"),
        (
            replace(ONE, lines=(("x", 2),)),
            "o was ordered as (('x', 1),) and shown as (('x', 2),)",
        ),
    ],
)
def test_two_reads_that_no_order_of_events_explains_are_told(
    other: Sight, told: str | None
) -> None:
    found = violations(History(sights=[ONE, other]), final={"o": "COMPLETED"})

    assert found == ([told] if told else [])


def test_an_answer_for_something_else_than_what_was_ordered_is_told() -> None:
    seen = History(sights=[ONE], wanted={"o": (("x", 1), ("y", 1))})

    assert violations(seen, final={"o": "RECEIVED"}) == [
        "o was ordered as (('x', 1), ('y', 1)) and shown as (('x', 1),)"
    ]


def test_what_is_noted_of_an_answer_is_what_it_holds() -> None:
    seen = History()
    order = {
        "id": "o",
        "status": "RECEIVED",
        "version": 3,
        "total": "10.00",
        "lines": [{"product_id": "x", "quantity": 1, "name": "Suco"}],
    }

    seen.saw(order, asked=0)
    seen.placed(order, key="k", wanted=[{"product_id": "x", "quantity": 1}])

    assert replace(seen.sights[0], told=1) == ONE
    assert violations(seen, final={"o": "RECEIVED"}) == []
