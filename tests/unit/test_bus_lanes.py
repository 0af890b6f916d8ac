"""A queue is fair: whoever fills it waits, and whoever sends little does not."""

from collections import Counter

import pytest

from local.bus.errors import AwsError
from local.bus.lanes import NOISY_COUNT
from local.bus.queue import BusQueue, Entry
from local.bus.wire_sqs import SqsWire
from local.bus.world import World


def queue_with(world: World, **backlogs: int) -> BusQueue:
    queue = world.create_queue("q", {})
    for group, count in backlogs.items():
        for number in range(count):
            world.send(queue, f"{group}-{number}", attributes={}, group=group)
    return queue


def take(queue: BusQueue, count: int) -> list[Entry]:
    taken: list[Entry] = []
    while len(taken) < count:
        batch = queue.take(min(10, count - len(taken)), visibility=30, dead=None)
        assert batch
        taken += batch
    return taken


def test_a_quiet_shop_goes_before_the_backlog_of_a_noisy_one() -> None:
    world = World(None)
    queue = queue_with(world, noisy=20_000)
    take(queue, NOISY_COUNT)

    world.send(queue, "quiet", attributes={}, group="quiet")

    assert [entry.body for entry in take(queue, 1)] == ["quiet"]


def test_nothing_of_a_noisy_shop_is_lost_or_doubled() -> None:
    queue = queue_with(World(None), noisy=500, quiet=20, other=40)

    taken = take(queue, 560)

    assert Counter(entry.group for entry in taken) == {"noisy": 500, "quiet": 20, "other": 40}
    assert len({entry.body for entry in taken}) == 560
    assert queue.take(10, visibility=30, dead=None) == []


def test_among_noisy_shops_the_one_with_the_fewest_in_flight_goes_first() -> None:
    queue = queue_with(World(None), one=300, two=300)

    taken = Counter(entry.group for entry in take(queue, 400))

    assert taken == {"one": 200, "two": 200}


def test_a_shop_that_has_the_queue_to_itself_is_served_in_the_order_of_arrival() -> None:
    queue = queue_with(World(None), noisy=200)

    taken = [entry.body for entry in take(queue, 200)]

    assert taken == [f"noisy-{number}" for number in range(200)]


def test_a_shop_is_quiet_again_when_its_backlog_is_used_up() -> None:
    world = World(None)
    queue = queue_with(world, noisy=100, other=20)
    for entry in take(queue, 120):
        queue.delete(entry.receipt)

    for group in ("noisy", "other"):
        world.send(queue, group, attributes={}, group=group)

    assert [entry.body for entry in take(queue, 2)] == ["noisy", "other"]


def test_what_is_handed_back_is_no_longer_in_flight() -> None:
    world = World(None)
    queue = queue_with(world, noisy=NOISY_COUNT)
    for entry in take(queue, NOISY_COUNT):
        queue.change_visibility(entry.receipt, seconds=0)

    world.send(queue, "quiet", attributes={}, group="quiet")

    bodies = [entry.body for entry in take(queue, NOISY_COUNT + 1)]
    assert bodies[-1] == "quiet"


def test_messages_without_a_group_are_served_in_the_order_of_arrival() -> None:
    world = World(None)
    queue = world.create_queue("q", {})
    for number in range(100):
        world.send(queue, str(number), attributes={})

    assert [entry.body for entry in take(queue, 100)] == [str(n) for n in range(100)]


@pytest.mark.parametrize("group", ["", "x" * 129, "two words", "ção", 7])
def test_a_group_that_aws_would_not_take_is_refused(group: object) -> None:
    world = World(None)
    world.create_queue("q", {})
    request = {"QueueUrl": "http://bus/0/q", "MessageBody": "b", "MessageGroupId": group}

    with pytest.raises(AwsError, match="MessageGroupId"):
        SqsWire(world).handle("SendMessage", request, "http://bus")
