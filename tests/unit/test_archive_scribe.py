"""The scribe: who waits for what, and what a fault of one does to its neighbours."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import (
    CustomerRegistered,
    OrderCancelled,
    OrderCompleted,
    OrderRecalled,
    OrderStarted,
    PaymentRefunded,
)
from comanda.ids import OrderId
from tests.archive_builders import (
    CHARGE,
    CUSTOMER,
    NOW,
    ORDER,
    SHOP,
    TOTAL,
    Shelf,
    after,
    paid_life,
    placed,
)
from workers.archive.items import partition, rows_of
from workers.archive.journey import States, tell
from workers.archive.memory import InMemoryIndex, InMemoryObjects
from workers.archive.model import Entry, Place, entry_of
from workers.archive.replays import NEVER_AGAIN, types_for
from workers.archive.windows import InvalidWindow, Window
from workers.runtime.errors import StoreUnavailable

POISON = OrderId("poison")


class FussyIndex(InMemoryIndex):
    """An index that is away for so many calls, and never takes one certain order."""

    def __init__(self, *, away: int = 0) -> None:
        super().__init__()
        self.away = away

    async def add(self, placed: Sequence[tuple[Entry, Place]]) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable
        if any(entry.subject == POISON for entry, _ in placed):
            raise ValueError("it cannot be written")
        await super().add(placed)


def shelf(index: InMemoryIndex | None = None) -> Shelf:
    return Shelf(index=index or InMemoryIndex(), objects=InMemoryObjects())


async def test_nobody_is_told_before_the_index_has_it() -> None:
    index = FussyIndex(away=1)
    scribe = shelf(index).scribe()

    with pytest.raises(StoreUnavailable):
        await scribe.keep(entry_of(placed()))
    assert index.rows == {}

    await scribe.keep(entry_of(placed()))
    assert len(index.rows) == 1


async def test_an_outage_is_everybodys() -> None:
    scribe = shelf(FussyIndex(away=1)).scribe()

    told = await asyncio.gather(
        *(scribe.keep(entry_of(it)) for it in paid_life()), return_exceptions=True
    )

    assert {type(it) for it in told} == {StoreUnavailable}


async def test_what_cannot_be_written_harms_none_of_its_neighbours() -> None:
    index = FussyIndex()
    scribe = shelf(index).scribe()
    orders = [OrderId(f"order-{n}") for n in range(20)]

    told = await asyncio.gather(
        *(scribe.keep(entry_of(placed(order=it))) for it in [*orders, POISON]),
        return_exceptions=True,
    )

    assert [type(it) for it in told] == [type(None)] * 20 + [ValueError]
    assert {entry.subject for entry, _ in index.rows.values()} == set(orders)


async def test_a_full_group_does_not_wait() -> None:
    opened = shelf()
    scribe = opened.scribe(most=6, linger=timedelta(hours=1))

    async with asyncio.timeout(5):
        await asyncio.gather(*(scribe.keep(entry_of(it)) for it in paid_life()))

    assert len([key async for key in opened.objects.keys("events/")]) == 1


def test_an_address_is_taken_out_before_anything_is_written() -> None:
    event = CustomerRegistered(shop_id=SHOP, customer_id=CUSTOMER, email="maria@exemplo.example")

    entry = entry_of(seal(event, now=NOW))

    assert "maria" not in entry.body
    assert Envelope.from_json(entry.body).event.subject == CUSTOMER


def test_a_text_of_several_lines_is_kept_on_one() -> None:
    text = placed().to_json().replace(",", ",\n")

    entry = entry_of(Envelope.from_json(text))

    assert "\n" not in entry.body
    assert Envelope.from_json(entry.body) == Envelope.from_json(text)


def test_a_strangers_endless_resource_still_fits_a_key() -> None:
    assert len(partition(SHOP, "x" * 200_000)) < 1100
    assert partition(SHOP, "x" * 200_000) != partition(SHOP, "x" * 200_001)


def test_half_a_surrogate_pair_can_be_written() -> None:
    event = CustomerRegistered(shop_id=SHOP, customer_id=CUSTOMER, email="a@exemplo.example")
    odd = seal(event, now=NOW).to_json().replace('"data":{', '"data":{"new":"\\ud83d",')

    entry = entry_of(Envelope.from_json(odd))

    row, *_ = rows_of(entry, Place(key="events/a", line=0), expires_at=1)
    assert row["body"]["S"].encode()


def test_a_refund_after_the_end_moves_the_charge_and_not_the_order() -> None:
    life = paid_life()
    cancelled = after(life[-1], OrderCancelled(shop_id=SHOP, order_id=ORDER, reason="sem gás"))
    refund = PaymentRefunded(shop_id=SHOP, order_id=ORDER, charge_id=CHARGE, amount=TOTAL)
    late = after(cancelled, OrderStarted(shop_id=SHOP, order_id=ORDER))

    steps = tell([entry_of(it) for it in (*life, cancelled, after(cancelled, refund), late)])

    assert steps[-1].after == States(order="CANCELLED", charge="REFUNDED", stock="SOLD")


def test_a_recall_leads_back_to_where_the_kitchen_put_it() -> None:
    life = paid_life()
    back = OrderRecalled(shop_id=SHOP, order_id=ORDER, status="READY")
    done = after(life[-1], OrderCompleted(shop_id=SHOP, order_id=ORDER))

    steps = tell([entry_of(it) for it in (*life, done, after(done, back))])

    assert (steps[-1].before.order, steps[-1].after.order) == ("COMPLETED", "READY")


def test_a_replay_sends_nothing_that_its_queue_does_not_handle() -> None:
    window = Window(shop_id=SHOP, since=NOW, until=NOW + timedelta(hours=1))
    heard = frozenset({"orders.order.placed.v1", *NEVER_AGAIN})

    assert types_for(window, heard).types == {"orders.order.placed.v1"}
    assert not types_for(window, NEVER_AGAIN).holds(entry_of(placed()))


def test_a_window_without_a_time_zone_is_none() -> None:
    with pytest.raises(InvalidWindow):
        Window(shop_id=SHOP, since=NOW.replace(tzinfo=None), until=NOW)
