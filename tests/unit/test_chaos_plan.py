"""A schedule of faults comes from its seed alone."""

from dataclasses import replace

from local.chaos.plan import Scope, Targets, draw_plan

PARTS = Targets(
    processes=("orders", "payments-worker", "bus"),
    links=("orders to bus", "edge to orders"),
    doomed=("payments-worker",),
    has_volume=True,
)


def test_the_same_seed_gives_the_same_schedule_whatever_order_the_parts_are_told_in() -> None:
    first = draw_plan(7, scope=Scope(seconds=60, pace=2), targets=PARTS)
    turned = replace(PARTS, processes=PARTS.processes[::-1], links=PARTS.links[::-1])
    again = draw_plan(7, scope=Scope(seconds=60, pace=2), targets=turned)

    assert first == again
    assert first != draw_plan(8, scope=Scope(seconds=60, pace=2), targets=PARTS)


def test_a_schedule_stays_within_its_time_and_holds_about_its_pace() -> None:
    plan = draw_plan(7, scope=Scope(seconds=300, pace=2), targets=PARTS)

    assert all(0 < fault.at < 300 for fault in plan)
    assert 450 < len(plan) < 750


# Every fault that issue 9 names, as the table of a run counts it.
NAMED = {
    *("kill", "stop", "freeze"),
    *("at a point: SIGKILL", "at a point: SIGSTOP", "at a point: SIGTERM"),
    *("cut connections", "lock a table: charges", "slow queries: charges", "disk full"),
    *("bus: duplicate", "bus: reorder", "bus: delay", "bus: throttle"),
    *("bus: pretend", "bus: reset after", "bus: fail", "bus: expire_receipt"),
    *("dynamodb: throttle", "dynamodb: conflict", "dynamodb: lose"),
    *("bank: slow", "bank: error", "bank: html", "bank: drop_after"),
    *("bank: webhook_first", "bank: webhook_never", "bank: webhook_late"),
    *("bank: webhook_duplicated", "bank: webhook_out_of_order"),
    *("network: reset", "network: black hole", "network: forget", "network: delay"),
    *("network: half close", "network: cut midway"),
    "clock: advance",
}


def test_a_long_schedule_has_every_fault_that_was_named() -> None:
    names = {fault.name for fault in draw_plan(7, scope=Scope(seconds=900, pace=2), targets=PARTS)}

    assert names >= NAMED


def test_what_is_not_there_is_not_struck() -> None:
    bare = Targets(processes=PARTS.processes)
    plan = draw_plan(7, scope=Scope(seconds=300, pace=2), targets=bare)

    assert {fault.target for fault in plan if fault.kind == "kill"} <= set(bare.processes)
    assert not {fault.kind for fault in plan} & {"network", "at a point", "disk full"}


def test_only_the_kinds_that_were_asked_for_are_drawn() -> None:
    scope = Scope(seconds=300, pace=2, kinds=("network", "disk full"))

    assert {fault.kind for fault in draw_plan(7, scope=scope, targets=PARTS)} == {
        "network",
        "disk full",
    }
    bare = Targets(processes=PARTS.processes)
    assert draw_plan(7, scope=scope, targets=bare) == []
