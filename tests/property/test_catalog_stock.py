"""No stock is made or lost, whatever events come, in whatever order and however often."""

import asyncio
import json
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from comanda.envelope import Envelope
from comanda.events import Event, OrderPlaced, StockRejected, StockReserved
from comanda.schemas import schema_of
from tests.catalog_builders import (
    NOW,
    Store,
    approved,
    cancelled,
    failed,
    line,
    placed,
    product,
    refused,
)
from workers.catalog.memory import InMemoryCatalog
from workers.catalog.model import ReservationStatus, StockLevel

MENU = [product(f"p{i}") for i in range(3)]
RECEIVED = 6
FOLLOWERS: list[Callable[[OrderPlaced], Event]] = [approved, failed, refused, cancelled]

_lines = st.lists(
    st.builds(line, st.sampled_from(MENU), st.integers(min_value=1, max_value=4)),
    min_size=1,
    max_size=4,
)


@st.composite
def deliveries(draw: st.DrawFn) -> list[Event]:
    """Draw orders with what follows them, some of it twice, all of it shuffled."""
    events: list[Event] = []
    for lines in draw(st.lists(_lines, min_size=1, max_size=6)):
        order = placed(*lines)
        events += [order, *(draw(st.sampled_from(FOLLOWERS))(order) for _ in range(2))]
    repeated = draw(st.lists(st.sampled_from(events), max_size=6))
    return draw(st.permutations(events + repeated))


@settings(max_examples=80, deadline=None)
@given(deliveries())
def test_held_sold_and_left_are_always_what_was_received(events: list[Event]) -> None:
    asyncio.run(_keeps_every_unit(events))


@settings(max_examples=60, deadline=None)
@given(deliveries())
def test_an_order_is_answered_once_or_is_told_it_was_cancelled(events: list[Event]) -> None:
    asyncio.run(_answers_once(events))


@settings(max_examples=40, deadline=None)
@given(deliveries())
def test_all_that_the_catalog_publishes_keeps_to_its_schema(events: list[Event]) -> None:
    for envelope in asyncio.run(_published_after(events)):
        schema = schema_of(type(envelope.event))

        Draft202012Validator(schema).validate(json.loads(envelope.to_json()))


async def _published_after(events: list[Event]) -> list[Envelope]:
    store = await _stocked()
    for event in events:
        await store.deliver(event)
    assert isinstance(store.catalog, InMemoryCatalog)
    return store.catalog.published


async def _keeps_every_unit(events: list[Event]) -> None:
    store = await _stocked()
    sold: dict[str, int] = {}
    for event in events:
        message = await store.deliver(event)
        await store.deliver(event, message=message)
        for level in await store.reader.levels(event.shop_id):
            assert level.held >= 0
            assert level.left >= 0
            assert level.received == RECEIVED == level.held + level.sold + level.left
            # What is sold never comes back.
            assert level.sold >= sold.get(level.product_id, 0)
            sold[level.product_id] = level.sold
    await _matches_reservations(store, events)


async def _matches_reservations(store: Store, events: list[Event]) -> None:
    held = {each.id: 0 for each in MENU}
    sold = {each.id: 0 for each in MENU}
    columns = {ReservationStatus.HELD: held, ReservationStatus.SOLD: sold}
    for order_id in {event.order_id for event in events if isinstance(event, OrderPlaced)}:
        async with store.catalog.begin() as unit:
            reservation = await unit.reservation(MENU[0].shop_id, order_id)
        assert reservation is not None
        column = columns.get(reservation.status)
        for product_id, quantity in reservation.quantities.items() if column is not None else ():
            column[product_id] += quantity
    for each in MENU:
        level: StockLevel = await store.level(each)
        assert (level.held, level.sold) == (held[each.id], sold[each.id])
    assert all(audit.agrees_with_ledger for audit in await store.reader.audit(MENU[0].shop_id))


async def _answers_once(events: list[Event]) -> None:
    store = await _stocked()
    for event in events:
        await store.deliver(event)

    reserved = [event.subject for event in await store.sent(StockReserved)]
    rejected = await store.sent(StockRejected)
    assert len(reserved) == len(set(reserved))
    answered = {*reserved, *(event.subject for event in rejected)}
    assert answered == {event.subject for event in events if isinstance(event, OrderPlaced)}


async def _stocked() -> Store:
    catalog = InMemoryCatalog(clock=lambda: NOW)
    store = Store(catalog, reader=catalog, topic=catalog)
    for each in MENU:
        await store.stock(each, quantity=RECEIVED)
    return store
