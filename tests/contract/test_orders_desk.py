"""One suite for claims and call numbers, run on memory and on DynamoDB's protocol."""

from datetime import date, datetime

import pytest

from tests.orders_builders import (
    NOW,
    OTHER_SHOP,
    SHOP,
    changed,
    deliver,
    request,
)
from tests.orders_stores import Side
from workers.orders.claims import LEASE, LIFETIME, Claim
from workers.runtime.errors import Conflict


async def test_call_numbers_count_per_shop_and_day(side: Side) -> None:
    today, tomorrow = date(2026, 3, 4), date(2026, 3, 5)
    asked = [(SHOP, today), (SHOP, today), (OTHER_SHOP, today), (SHOP, tomorrow)]

    numbers = [await side.desk.next_number(shop, day=day) for shop, day in asked]

    assert numbers == [1, 2, 1, 1]


def fresh(key: str = "k", *, now: datetime = NOW, fingerprint: str = "f") -> Claim:
    return Claim.fresh(request(key=key).key, fingerprint=fingerprint, now=now)


async def test_the_first_claim_of_a_key_holds_it(side: Side) -> None:
    first, second = fresh(), fresh()

    assert await side.desk.claim(first, now=NOW) == first
    assert await side.desk.claim(second, now=NOW) == first


async def test_an_expired_claim_is_free_even_before_it_is_removed(side: Side) -> None:
    await side.desk.claim(fresh(), now=NOW)
    later = NOW + LIFETIME
    second = fresh(now=later)

    assert await side.desk.claim(second, now=later) == second


async def test_only_one_of_two_successors_takes_a_claim_over(side: Side) -> None:
    first = await side.desk.claim(fresh(), now=NOW)
    later = NOW + LEASE
    one, two = (first.passed_to(fresh(now=later), now=later) for _ in range(2))

    taken = [
        await side.desk.take_over(one, of=first.holder),
        await side.desk.take_over(two, of=first.holder),
    ]

    assert taken == [True, False]
    assert (await side.desk.claim(fresh(), now=NOW)).holder == one.holder


async def test_a_released_claim_is_free_and_an_answered_one_is_not(side: Side) -> None:
    released = await side.desk.claim(fresh(), now=NOW)
    await side.desk.release(released)
    again = await side.desk.claim(fresh(), now=NOW)
    async with side.store.begin() as unit:
        unit.complete(again, answer="early")
    await side.desk.release(again)
    await side.desk.release(released)
    await side.desk.amend(again, answer="late")
    await side.desk.amend(released, answer="not mine")

    found = await side.desk.claim(fresh(), now=NOW)

    assert (found.holder, found.answer) == (again.holder, "late")
    assert again.holder != released.holder
    with pytest.raises(Conflict):
        async with side.store.begin() as unit:
            unit.complete(again, answer="twice")


async def test_the_same_request_twice_is_one_order_in_the_store(side: Side) -> None:
    await deliver(changed(), orders=side.store)
    wanted = request(key="twice")

    first = await side.till.place(wanted)
    second = await side.till.place(wanted)

    assert (second.order, second.answer) == (None, first.answer)
    assert sum((await side.store.totals(SHOP, now=NOW)).by_status.values()) == 1
    assert len(await side.published()) == 1
