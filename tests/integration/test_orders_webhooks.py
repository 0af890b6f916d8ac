"""Webhooks from registration to delivery, over real HTTP."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.orders_builders import NOW, SHOP, Clock, approved, changed, deliver, placed
from tests.orders_hooks import Till, hook
from tests.orders_http import BASE, Client, crew, guest, opened
from tests.orders_stores import Side
from workers.orders.feed import SETTLED_AFTER
from workers.orders.herald import Herald
from workers.orders.hooks import GIVEN_UP_AFTER, LONGEST_PAUSE, signature
from workers.orders.hooks_memory import InMemoryHooks
from workers.orders.memory import InMemoryOrders
from workers.orders.outbound import outbound_session

HOOKS = f"{BASE}/webhooks"


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
async def address(till: Till) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", till.serve)
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}/orders"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def orders(clock: Clock) -> InMemoryOrders:
    return InMemoryOrders(clock=clock)


@pytest.fixture
async def herald(orders: InMemoryOrders, clock: Clock) -> AsyncIterator[Herald]:
    async with outbound_session(may_be_loopback=True) as session:
        yield Herald(
            shops=(SHOP,),
            hooks=InMemoryHooks(),
            reader=orders,
            session=session,
            clock=clock,
            may_be_loopback=True,
        )


async def happen(orders: InMemoryOrders, clock: Clock) -> None:
    side = Side(store=orders, desk=orders, letterbox=orders, clock=clock, published=orders.ping)  # type: ignore[arg-type]
    order = await placed(side.till)
    clock.pass_by(seconds=1)
    await deliver(approved(order), orders=orders)
    clock.pass_by(seconds=SETTLED_AFTER.total_seconds() + 1)


async def test_each_change_is_told_once_in_order_and_signed(
    herald: Herald, orders: InMemoryOrders, clock: Clock, till: Till, address: str
) -> None:
    registered = hook(address)
    await herald.hooks.add(registered)
    await happen(orders, clock)

    taken = [await herald.tell_all() for _ in range(2)]

    assert (taken, till.statuses) == ([2, 0], ["PENDING_PAYMENT", "RECEIVED"])
    headers, body = till.got[0]
    key = base64.b64decode(registered.secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert len({got["webhook-id"] for got, _ in till.got}) == 2


@pytest.mark.parametrize("status", [500, 404, 301])
async def test_what_is_not_taken_is_told_again_later_under_the_same_id(
    herald: Herald, orders: InMemoryOrders, clock: Clock, till: Till, address: str, status: int
) -> None:
    await herald.hooks.add(hook(address))
    await happen(orders, clock)
    till.status = status

    refused = [await herald.tell_all() for _ in range(3)]
    clock.pass_by(seconds=6)
    till.status = 200
    taken = await herald.tell_all()

    assert (refused, taken) == ([0, 0, 0], 2)
    assert till.statuses == ["PENDING_PAYMENT", "PENDING_PAYMENT", "RECEIVED"]
    assert till.got[0][0]["webhook-id"] == till.got[1][0]["webhook-id"]
    log = await herald.hooks.deliveries(SHOP, (await herald.hooks.all(SHOP))[0].id, limit=9)
    assert [d.status for d in reversed(log)] == [status, 200, 200]
    assert [d.attempt for d in reversed(log)] == [1, 2, 1]


async def test_a_webhook_that_leads_inside_is_never_called(
    herald: Herald, orders: InMemoryOrders, clock: Clock, till: Till, address: str
) -> None:
    guarded = replace(herald, may_be_loopback=False)
    await guarded.hooks.add(hook(address))
    await happen(orders, clock)

    assert await guarded.tell_all() == 0

    assert till.got == []
    (tried,) = await guarded.hooks.deliveries(SHOP, (await guarded.hooks.all(SHOP))[0].id, limit=9)
    assert (tried.status, bool(tried.fault)) == (None, True)


def test_a_webhook_that_is_down_waits_longer_each_time_and_is_given_up_in_the_end() -> None:
    failing, now = hook(), NOW
    pauses = []
    while failing.is_enabled:
        failing = failing.failed(now=now)
        assert failing.next_try_at is not None
        pauses.append(failing.next_try_at - now)
        now = failing.next_try_at

    assert pauses[:4] == [timedelta(seconds=s) for s in (5, 10, 20, 40)]
    assert max(pauses) == LONGEST_PAUSE
    assert GIVEN_UP_AFTER <= now - NOW <= GIVEN_UP_AFTER + 2 * LONGEST_PAUSE
    assert failing.enabled().is_due(now=now)


@pytest.fixture
async def client(clock: Clock, orders: InMemoryOrders) -> AsyncIterator[Client]:
    await deliver(changed(), orders=orders)
    async with opened(orders, clock=clock) as client:
        yield client


async def test_an_owner_registers_looks_after_and_removes_a_webhook(client: Client) -> None:
    owner = crew("owner")
    body = {"url": "https://caixa.exemplo.com.br/comanda"}

    made = await client.ask("POST", HOOKS, headers=owner, json=body)
    listed = await client.get(HOOKS, headers=owner)
    path = f"{HOOKS}/{made.body['id']}"
    tries = await client.get(f"{path}/deliveries", headers=owner)
    enabled = await client.ask("POST", f"{path}/enable", headers=owner)
    removed = [await client.ask("DELETE", path, headers=owner) for _ in range(2)]

    assert (made.status, made.body["secret"][:6]) == (201, "whsec_")
    assert "secret" not in listed.body["webhooks"][0]
    assert tries.body == {"deliveries": []}
    assert (enabled.status, [a.status for a in removed]) == (200, [204, 404])


@pytest.mark.parametrize(
    "url", ["http://caixa.exemplo.com.br/", "https://169.254.169.254/", "https://[::1]/", "x", ""]
)
async def test_an_address_inside_cannot_be_registered(client: Client, url: str) -> None:
    answer = await client.ask("POST", HOOKS, headers=crew("owner"), json={"url": url})

    assert (answer.status, answer.body["errors"][0]["field"]) == (422, "body.url")


@pytest.mark.parametrize("headers", [crew(), crew("manager"), guest()])
async def test_webhooks_are_the_owners_alone(client: Client, headers: dict[str, str]) -> None:
    made = await client.ask("POST", HOOKS, headers=headers, json={"url": "https://a.exemplo.com/"})
    listed = await client.get(HOOKS, headers=headers)

    assert (made.status, listed.status) == (403, 403)


def test_the_signature_is_that_of_the_specification() -> None:
    # The example of the Standard Webhooks specification's reference libraries.
    found = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        sent_at=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
