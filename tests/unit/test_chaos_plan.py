"""A schedule of faults comes from its seed alone."""

from local.chaos.plan import draw_plan

PARTS = ("orders", "payments-worker", "bus")


def test_the_same_seed_gives_the_same_schedule_whatever_order_the_parts_are_told_in() -> None:
    first = draw_plan(7, seconds=60, processes=PARTS, pace=2)
    again = draw_plan(7, seconds=60, processes=tuple(reversed(PARTS)), pace=2)

    assert first == again
    assert first != draw_plan(8, seconds=60, processes=PARTS, pace=2)


def test_a_schedule_stays_within_its_time_and_holds_about_its_pace() -> None:
    plan = draw_plan(7, seconds=300, processes=PARTS, pace=2)

    assert all(0 < fault.at < 300 for fault in plan)
    assert 450 < len(plan) < 750


def test_a_long_schedule_has_every_kind() -> None:
    kinds = {fault.kind for fault in draw_plan(7, seconds=300, processes=PARTS, pace=2)}

    assert kinds == {
        "kill",
        "stop",
        "freeze",
        "cut connections",
        "lock a table",
        "bus",
        "bank",
        "dynamodb",
        "clock",
    }


def test_only_parts_that_are_there_are_killed() -> None:
    plan = draw_plan(7, seconds=300, processes=PARTS, pace=2)

    assert {fault.target for fault in plan if fault.kind == "kill"} <= set(PARTS)
