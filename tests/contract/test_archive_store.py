"""The archive on its two sides: memory, and S3 with DynamoDB as moto plays them."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from comanda.envelope import Envelope
from comanda.ids import CustomerId, OrderId
from tests.archive_builders import (
    CHARGE,
    CUSTOMER,
    NOW,
    ORDER,
    OTHER_SHOP,
    PAYMENT,
    SHOP,
    Shelf,
    aws_stand_in,
    erased,
    opened_shelf,
    paid_life,
    placed,
)
from workers.archive.forgetting import Eraser
from workers.archive.handlers import HANDLERS
from workers.archive.journey import journey
from workers.archive.model import Entry, Place, entry_of
from workers.archive.ports import ChangedMeanwhile, Index
from workers.archive.scribe import Scribe
from workers.archive.windows import Window, counted, events_in
from workers.runtime.errors import StoreUnavailable

DAY = Window(shop_id=SHOP, since=NOW - timedelta(hours=1), until=NOW + timedelta(hours=23))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with aws_stand_in() as url:
        yield url


@pytest_asyncio.fixture(params=["memory", "aws"])
async def shelf(request: pytest.FixtureRequest, endpoint: str) -> AsyncIterator[Shelf]:
    async with opened_shelf(request.param, endpoint) as opened:
        yield opened


def now() -> datetime:
    return NOW


class DyingIndex:
    """An index whose process dies between an object and its rows."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    async def add(self, placed: Sequence[tuple[Entry, Place]]) -> None:
        raise StoreUnavailable("killed")


async def keep(
    shelf: Shelf, envelopes: Sequence[Envelope], *, scribe: Scribe | None = None
) -> None:
    writer = scribe or shelf.scribe()
    eraser = Eraser(shelf.index, shelf.objects)
    handling = (HANDLERS[type(it.event)](it, keeper=writer, forgetter=eraser) for it in envelopes)
    await asyncio.gather(*handling)


async def all_lines(shelf: Shelf) -> list[str]:
    return [
        line async for key in shelf.objects.keys("events/") for line in await shelf.objects.get(key)
    ]


async def test_a_group_is_one_object_with_one_line_for_each_event(shelf: Shelf) -> None:
    life = paid_life()

    await keep(shelf, life)

    keys = [key async for key in shelf.objects.keys("events/")]
    assert len(keys) == 1
    assert keys[0].startswith("events/2026/11/21/12/")
    assert await shelf.objects.get(keys[0]) == [it.to_json() for it in life]


async def test_events_of_two_hours_lie_under_two_hours(shelf: Shelf) -> None:
    await keep(shelf, [placed(), placed(at=NOW + timedelta(hours=1))])

    hours = [key[:21] async for key in shelf.objects.keys("events/")]
    assert hours == ["events/2026/11/21/12/", "events/2026/11/21/13/"]


async def test_an_event_that_comes_again_is_there_once(shelf: Shelf) -> None:
    life = paid_life()

    await keep(shelf, [*life, *life])
    await keep(shelf, life)

    assert len(await all_lines(shelf)) == len(life)
    assert len(await shelf.index.of_subject(SHOP, ORDER)) == 5


async def test_what_a_crash_left_behind_shows_nobody_an_event_twice(shelf: Shelf) -> None:
    life = paid_life()
    await shelf.objects.put("events/2026/11/21/12/orphan.jsonl.gz", [it.to_json() for it in life])

    await keep(shelf, life)

    assert len(await all_lines(shelf)) == 2 * len(life)
    found = [entry.event_id async for entry in events_in(DAY, shelf.objects)]
    assert found == [it.id for it in life]
    assert len(await journey(shelf.index, SHOP, ORDER)) == len(life)


async def test_a_field_that_we_do_not_know_is_kept(shelf: Shelf) -> None:
    text = placed().to_json().replace('"data":{', '"data":{"from_the_future":7,')

    await keep(shelf, [Envelope.from_json(text)])

    assert await all_lines(shelf) == [text]


async def test_a_journey_holds_the_webhook_that_told_of_the_payment(shelf: Shelf) -> None:
    await keep(shelf, paid_life())

    steps = await journey(shelf.index, SHOP, ORDER)

    assert [step.entry.wire_type for step in steps] == [
        "orders.order.placed.v1",
        "catalog.stock.reserved.v1",
        "payments.charge.created.v1",
        "webhooks.notification.received.v1",
        "payments.payment.approved.v1",
        "orders.order.paid.v1",
    ]
    assert (steps[-1].before.order, steps[-1].after.order) == ("PENDING_PAYMENT", "RECEIVED")


async def test_as_of_an_instant_only_what_had_happened_is_told(shelf: Shelf) -> None:
    await keep(shelf, paid_life())

    steps = await journey(shelf.index, SHOP, ORDER, as_of=NOW + timedelta(seconds=2))

    assert len(steps) == 3
    assert steps[-1].after.charge == "WAITING"


async def test_a_charge_and_a_payment_lead_to_their_events(shelf: Shelf) -> None:
    await keep(shelf, paid_life())

    by_charge = await shelf.index.of_subject(SHOP, CHARGE)
    by_payment = await shelf.index.of_subject(SHOP, PAYMENT)

    assert {entry.subject for entry, _ in by_charge} == {ORDER}
    assert [entry.wire_type for entry, _ in by_payment] == ["webhooks.notification.received.v1"]


async def test_another_shop_finds_nothing(shelf: Shelf) -> None:
    life = paid_life()
    await keep(shelf, life)

    assert await shelf.index.of_subject(OTHER_SHOP, ORDER) == []
    assert await shelf.index.of_conversation(OTHER_SHOP, life[0].correlation_id) == []
    elsewhere = Window(shop_id=OTHER_SHOP, since=DAY.since, until=DAY.until)
    assert await counted(elsewhere, shelf.objects) == {}


async def test_an_event_too_large_for_a_row_is_read_from_its_object(shelf: Shelf) -> None:
    large = placed(notes="x" * 9000)

    await keep(shelf, [placed(order=OrderId("other")), large])

    ((entry, _),) = await shelf.index.of_subject(SHOP, ORDER)
    assert entry.body == large.to_json()


async def test_sixty_events_at_once_are_all_indexed(shelf: Shelf) -> None:
    orders = [OrderId(f"order-{n}") for n in range(60)]

    await keep(shelf, [placed(order=order) for order in orders], scribe=shelf.scribe(most=25))

    for order in orders:
        assert len(await shelf.index.of_subject(SHOP, order)) == 1
    assert await counted(DAY, shelf.objects) == {"orders.order.placed.v1": 60}


async def test_an_erased_customer_is_in_no_object_and_no_row(shelf: Shelf) -> None:
    await keep(shelf, [*paid_life(customer=CUSTOMER, notes="para a Maria"), placed(at=NOW)])

    await keep(shelf, [erased()])
    await keep(shelf, [erased()])

    told = [line for line in await all_lines(shelf) if "customers.customer.erased" not in line]
    rows = [entry.body for entry, _ in await shelf.index.of_subject(SHOP, ORDER)]
    assert len(told) == 7
    assert [it for it in (*told, *rows) if CUSTOMER in it or "Maria" in it] == []
    assert await shelf.index.of_person(SHOP, CUSTOMER) == []


async def test_an_erasure_reaches_what_a_crash_kept_out_of_the_index(shelf: Shelf) -> None:
    life = paid_life(customer=CUSTOMER, notes="para a Maria")
    with pytest.raises(StoreUnavailable):
        await keep(shelf, life, scribe=Scribe(DyingIndex(shelf.index), shelf.objects, clock=now))
    assert await shelf.index.of_person(SHOP, CUSTOMER) == []

    await keep(shelf, [erased()])

    told = [line for line in await all_lines(shelf) if "customers.customer.erased" not in line]
    assert len(told) == len(life)
    assert [it for it in told if CUSTOMER in it or "Maria" in it] == []
    assert await shelf.index.expected(SHOP, CUSTOMER) == []


async def test_an_erasure_that_is_announced_again_reaches_what_came_after_it(shelf: Shelf) -> None:
    announced = erased()
    await keep(shelf, [announced])
    await keep(shelf, paid_life(customer=CUSTOMER))

    await keep(shelf, [announced])

    told = [line for line in await all_lines(shelf) if "customers.customer.erased" not in line]
    assert len(told) == 6
    assert [it for it in told if CUSTOMER in it] == []
    assert await shelf.index.of_person(SHOP, CUSTOMER) == []


async def test_an_erasure_leaves_other_customers_and_the_same_id_elsewhere(shelf: Shelf) -> None:
    other = CustomerId(str(UUID(int=9)))
    kept = [placed(customer=other, notes="sem sal"), placed(customer=CUSTOMER, shop=OTHER_SHOP)]
    await keep(shelf, [*kept, placed(customer=CUSTOMER)])

    await keep(shelf, [erased()])

    assert {it.to_json() for it in kept} < set(await all_lines(shelf))


async def test_an_object_that_changed_meanwhile_is_not_written_over(shelf: Shelf) -> None:
    await shelf.objects.put("events/a", ["one"])
    await shelf.objects.rewrite("events/a", ["two"], was=["one"])

    with pytest.raises(ChangedMeanwhile):
        await shelf.objects.rewrite("events/a", ["three"], was=["one"])

    assert await shelf.objects.get("events/a") == ["two"]


async def test_reading_on_after_a_position_gives_the_rest(shelf: Shelf) -> None:
    life = [placed(at=NOW + timedelta(minutes=20 * n)) for n in range(9)]
    await keep(shelf, life)
    first = [it async for it in events_in(DAY, shelf.objects)]

    position = f"{first[3].at:%Y-%m-%dT%H:%M:%S.%fZ}#{first[3].event_id}"
    rest = [it async for it in events_in(DAY, shelf.objects, after=position)]

    assert rest == first[4:]


async def test_what_was_indexed_is_known(shelf: Shelf) -> None:
    entries = [entry_of(it) for it in paid_life()]
    await shelf.index.add([(entries[0], Place(key="events/a", line=0))])

    assert await shelf.index.known(entries) == {entries[0].event_id}
