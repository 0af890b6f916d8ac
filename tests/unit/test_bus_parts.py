"""The parts of the bus, one by one: policies, rules, log, journal, clock, queues."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from local.bus.clock import VirtualClock
from local.bus.errors import AwsError
from local.bus.faults import Point, Subject
from local.bus.filters import admits, admits_body, parse_policy
from local.bus.journal import Journal
from local.bus.names import queue_arn
from local.bus.rules import read_rule
from local.bus.world import World


def text(value: str, kind: str = "String") -> dict[str, str]:
    return {"DataType": kind, "StringValue": value}


@pytest.mark.parametrize(
    ("policy", "attributes", "is_admitted"),
    [
        ({}, {}, True),
        ({"a": ["x", "y"]}, {"a": text("y")}, True),
        ({"a": ["x"], "b": ["y"]}, {"a": text("x")}, False),
        ({"a": [{"suffix": "z"}]}, {"a": text("xyz")}, True),
        ({"a": [{"equals-ignore-case": "PIX"}]}, {"a": text("pix")}, True),
        ({"a": [{"anything-but": ["x", "y"]}]}, {"a": text("y")}, False),
        ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": text("y")}, True),
        ({"a": [{"anything-but": ["x"]}]}, {}, False),
        ({"a": [{"exists": False}]}, {"a": text("x")}, False),
        ({"n": [{"numeric": [">", 0, "<=", 5]}]}, {"n": text("5", "Number")}, True),
        ({"n": [{"numeric": [">", 0, "<=", 5]}]}, {"n": text("5.1", "Number")}, False),
        ({"n": [5]}, {"n": text("5.0", "Number")}, True),
        ({"n": [5]}, {"n": text("5")}, False),
        ({"l": ["b"]}, {"l": text('["a","b"]', "String.Array")}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": text("y")}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": text("x")}, False),
    ],
)
def test_a_policy_over_attributes(
    policy: dict[str, Any], attributes: dict[str, Any], *, is_admitted: bool
) -> None:
    assert admits(parse_policy(json.dumps(policy)), attributes) is is_admitted


@pytest.mark.parametrize(
    ("policy", "body", "is_admitted"),
    [
        ({"a": {"b": ["x"]}}, '{"a": {"b": "x"}}', True),
        ({"a": {"b": ["x"]}}, '{"a": "x"}', False),
        ({"a": [True]}, '{"a": true}', True),
        ({"a": [1]}, '{"a": true}', False),
        ({"a": [None]}, '{"a": null}', True),
        ({"a": ["x"]}, '{"a": ["w", "x"]}', True),
        ({"a": ["x"]}, "not JSON", False),
        ({"a": ["x"]}, '["a"]', False),
    ],
)
def test_a_policy_over_bodies(policy: dict[str, Any], body: str, *, is_admitted: bool) -> None:
    assert admits_body(parse_policy(json.dumps(policy), is_nested=True), body) is is_admitted


def test_a_nested_policy_over_attributes_is_refused() -> None:
    with pytest.raises(AwsError):
        parse_policy('{"a": {"b": ["x"]}}')


def test_a_rule_counts_only_what_it_concerns() -> None:
    rule = read_rule({"fault": "duplicate", "queue": "orders", "nth": [2]})

    struck = [
        rule.strike(Subject(queue=queue)) is not None
        for queue in ("orders", "catalog", "orders", "orders")
    ]

    assert struck == [False, False, True, False]


def test_the_oldest_rule_that_strikes_wins_until_it_is_spent() -> None:
    faults = World(None).faults
    faults.add(read_rule({"fault": "throttle", "times": 1}))
    number = faults.add(read_rule({"fault": "reset"}))

    kinds = [fault.kind for _ in range(2) if (fault := faults.strike(Point.REQUEST, Subject()))]

    assert kinds == ["throttle", "reset"]
    assert faults.remove(number)
    assert not faults.remove(number)


def test_the_journal_forgets_the_oldest_steps_and_counts_on() -> None:
    journal = Journal(clock=lambda: 1.0, length=3)
    for number in range(5):
        journal.add("sent", "q", f"m{number}")

    steps = list(journal.steps())

    assert [step.number for step in steps] == [3, 4, 5]
    assert [step.message_id for step in journal.steps(after=4)] == ["m4"]


def test_a_clock_that_thaws_never_goes_back() -> None:
    real = iter([100.0, 101.0, 105.0, 106.0, 200.0, 200.0])
    clock = VirtualClock(lambda: next(real))
    clock.freeze()
    clock.advance(10)

    frozen = clock()
    clock.thaw()

    assert frozen == 110
    assert clock() >= frozen


def test_twins_live_through_a_restart_and_die_one_by_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    queue = world.create_queue("q", {})
    world.faults.add(read_rule({"fault": "duplicate", "copies": 2}))
    sent = world.send(queue, "b", attributes={})
    first, *_ = queue.take(1, visibility=0, dead=None)
    queue.delete(first.receipt)
    world.flush()

    queue = World(tmp_path).queues["q"]

    left = queue.take(10, visibility=30, dead=None)
    assert [entry.id for entry in left] == [sent.id] * 2
    assert len({entry.key for entry in left}) == 2


def test_a_log_that_is_mostly_history_is_rewritten_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.bus.log.SMALLEST_REWRITE", 10_000)
    world = World(tmp_path)
    queue = world.create_queue("q", {})
    world.send(queue, "kept", attributes={}, delay=900)
    for _ in range(200):
        world.send(queue, "x" * 500, attributes={})
        (entry,) = queue.take(1, visibility=30, dead=None)
        queue.delete(entry.receipt)
        world.flush()

    assert (tmp_path / "bus.log").stat().st_size < 20_000
    assert [entry.body for entry in World(tmp_path).queues["q"].entries] == ["kept"]


def test_a_moved_message_is_among_the_dead_letters_after_a_restart(tmp_path: Path) -> None:
    world = World(tmp_path)
    dead = world.create_queue("q-dlq", {})
    policy = {"deadLetterTargetArn": queue_arn("q-dlq"), "maxReceiveCount": "1"}
    queue = world.create_queue("q", {"RedrivePolicy": json.dumps(policy)})
    world.send(queue, "b", attributes={})
    for _ in range(2):
        queue.take(1, visibility=0, dead=dead)
    world.flush()

    again = World(tmp_path)

    assert again.queues["q"].entries == []
    (letter,) = again.queues["q-dlq"].take(1, visibility=30, dead=None)
    assert (letter.body, letter.source_arn) == ("b", queue_arn("q"))


def test_what_was_deleted_leaves_the_memory_before_its_visibility_ends() -> None:
    world = World(None)
    queue = world.create_queue("q", {})
    for _ in range(5000):
        world.send(queue, "b", attributes={})
        (entry,) = queue.take(1, visibility=43_200, dead=None)
        queue.delete(entry.receipt)

    assert len(queue._hidden) <= 1001


def test_new_ids_do_not_repeat() -> None:
    world = World(None)
    queue = world.create_queue("q", {})

    ids = Counter(world.send(queue, "b", attributes={}).id for _ in range(1000))

    assert set(ids.values()) == {1}
