"""Both stores keep a shop's webhooks the same way: bounded, held by one, and gone when removed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiobotocore.session import get_session

from tests.orders_builders import NOW, OTHER_SHOP, SHOP
from tests.orders_hooks import hook
from tests.orders_stores import connection, opened_side
from workers.orders.hook_items import DynamoHooks
from workers.orders.hooks import LEASE, MOST_HOOKS, Delivery, Hooks, TooManyHooks
from workers.orders.hooks_memory import InMemoryHooks
from workers.orders.table import DynamoTable


@pytest.fixture(params=["memory", "dynamodb"])
async def hooks(request: pytest.FixtureRequest, endpoint: str) -> AsyncIterator[Hooks]:
    async with _kept(request.param, endpoint) as hooks:
        yield hooks


@asynccontextmanager
async def _kept(kind: str, endpoint: str) -> AsyncIterator[Hooks]:
    if kind == "memory":
        yield InMemoryHooks()
        return
    options = connection(endpoint)
    async with (
        opened_side("dynamodb", endpoint) as side,
        get_session().create_client("dynamodb", **options) as client,
    ):
        yield DynamoHooks(DynamoTable(client, name=side.table))


async def test_a_webhook_is_held_by_one_and_not_after_it_was_moved_on(hooks: Hooks) -> None:
    kept = hook()
    await hooks.add(kept)

    held = [await hooks.hold(kept, now=NOW) for _ in range(2)]
    later = await hooks.hold(kept, now=NOW + LEASE)
    await hooks.save(kept.told("2026"))
    stale = await hooks.hold(kept, now=NOW + 3 * LEASE)
    fresh = await hooks.hold(kept.told("2026"), now=NOW + 3 * LEASE)

    assert (held, later, stale, fresh) == ([True, False], True, False, True)
    assert await hooks.all(SHOP) == [kept.told("2026")]
    assert await hooks.all(OTHER_SHOP) == []


async def test_a_removed_webhook_stays_removed(hooks: Hooks) -> None:
    kept = hook()
    await hooks.add(kept)

    removed = [await hooks.remove(SHOP, kept.id) for _ in range(2)]
    await hooks.save(kept.failed(now=NOW))

    assert removed == [True, False]
    assert await hooks.all(SHOP) == []


async def test_a_shop_has_a_bounded_number_of_webhooks(hooks: Hooks) -> None:
    for _ in range(MOST_HOOKS):
        await hooks.add(hook())

    with pytest.raises(TooManyHooks):
        await hooks.add(hook())


async def test_tries_are_listed_newest_first(hooks: Hooks) -> None:
    for seconds, status in ((0, None), (5, 204)):
        tried = Delivery(
            shop_id=SHOP,
            hook_id="h",
            entry_id="e",
            at=NOW + timedelta(seconds=seconds),
            attempt=1,
            status=status,
            fault="",
            milliseconds=3,
        )
        await hooks.log(tried)

    found = await hooks.deliveries(SHOP, "h", limit=9)

    assert [d.status for d in found] == [204, None]
    assert [d.status for d in await hooks.deliveries(SHOP, "h", limit=1)] == [204]
