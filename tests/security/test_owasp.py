"""OWASP's API security top ten (2023), as far as no other suite asks; see docs/threat-model.md."""

import gzip
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from comanda.mercadopago import transport
from comanda.mercadopago.client import open_apis
from comanda.mercadopago.errors import MercadoPagoUnavailable
from comanda.mercadopago.values import Flavour
from local.gateway.loading import REPOSITORY
from tests import orders_http
from tests.identity_doors import documents, pods
from tests.orders_builders import Clock, changed, deliver, request, till
from tests.orders_http import BODY, Client
from tests.payments_scripted import Reply, scripted_server
from workers.orders.kitchen import Ask, cancel
from workers.orders.memory import InMemoryOrders
from workers.orders.model import Step
from workers.orders.shop_rules import MOST_UNPAID, TooManyUnpaid

# Health checks and metrics have no name at the public door; documents describe the rest.
UNDOCUMENTED = {"/health/live", "/health/ready", "/metrics"}
_OUR_BOOKS = {"owner", "customer_id", "refusals", "by", "note", "reason_note", "fingerprint"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def orders(clock: Clock) -> InMemoryOrders:
    orders = InMemoryOrders(clock=clock)
    await deliver(changed(), orders=orders)
    return orders


@pytest.fixture
async def client(orders: InMemoryOrders, clock: Clock) -> AsyncIterator[Client]:
    async with orders_http.opened(orders, clock=clock) as client:
        yield client


@pytest.mark.parametrize(
    "extra",
    [
        {"total": "0.01"},
        {"status": "RECEIVED"},
        {"owner": "somebody-else"},
        {"customer_id": "00000000-0000-4000-8000-000000000009"},
        {"shop_id": "cantina-do-beto"},
        {"call_number": 1},
        {"id": "00000000-0000-4000-8000-000000000009"},
    ],
    ids=lambda extra: next(iter(extra)),
)
async def test_api3_nobody_sets_what_is_ours_to_set(client: Client, extra: dict[str, Any]) -> None:
    answer = await client.place({**BODY, **extra})

    assert answer.status == 422
    assert client.placed_events() == []


@pytest.mark.parametrize("field", ["unit_price", "price", "name", "total"])
async def test_api3_nobody_sets_the_price_of_a_line(client: Client, field: str) -> None:
    answer = await client.place({"lines": [{**BODY["lines"][0], field: "0.01"}]})

    assert answer.status == 422
    assert client.placed_events() == []


async def test_api3_a_customer_is_shown_nothing_of_our_books(client: Client) -> None:
    placed = await client.place()

    assert placed.status == 201
    assert not set(placed.body) & _OUR_BOOKS


async def test_api4_a_page_is_never_longer_than_its_limit_allows(client: Client) -> None:
    answer = await client.get(f"{orders_http.ORDERS}?limit=101", headers=orders_http.guest())

    assert answer.status == 422


async def test_api6_nobody_holds_the_stock_of_a_shop_by_orders_that_nobody_pays(
    client: Client,
) -> None:
    placed = [await client.place(key=f"k{n}") for n in range(MOST_UNPAID + 2)]

    assert [answer.status for answer in placed] == [201] * MOST_UNPAID + [429] * 2
    assert placed[-1].headers["Retry-After"]
    assert len(client.placed_events()) == MOST_UNPAID


async def test_api6_somebody_elses_unpaid_orders_are_nobodys_hindrance(client: Client) -> None:
    for n in range(MOST_UNPAID):
        await client.place(key=f"k{n}")

    other = await client.place(headers=orders_http.customer())

    assert other.status == 201


async def test_api6_the_bound_holds_whichever_process_takes_the_order(
    orders: InMemoryOrders, clock: Clock
) -> None:
    tills = [till(orders, desk=orders, menus=orders, clock=clock) for _ in range(4)]
    for n in range(MOST_UNPAID):
        await tills[n % 4].place(request())
        clock.now += timedelta(seconds=1)

    for counter in tills:
        with pytest.raises(TooManyUnpaid):
            await counter.place(request())


async def test_api6_an_order_that_is_cancelled_makes_room(
    orders: InMemoryOrders, clock: Clock
) -> None:
    counter = till(orders, desk=orders, menus=orders, clock=clock)
    placed = [await counter.place(request()) for _ in range(MOST_UNPAID)]
    first = placed[0].order
    assert first is not None

    ask = Ask(shop_id=first.shop_id, order_id=first.id, step=Step.CANCEL, reason="changed my mind")
    await cancel(ask, orders=orders)

    assert (await counter.place(request())).order is not None


@pytest.mark.parametrize("service", sorted(pods()))
def test_api8_no_pod_serves_a_page_with_a_strangers_script(service: str) -> None:
    paths = {getattr(route, "path", "") for route in pods()[service].routes}

    assert not {path for path in paths if "docs" in path or "redoc" in path}


async def test_api8_a_fault_of_ours_shows_nothing_of_our_insides(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("the secret name of a table")

    monkeypatch.setattr(InMemoryOrders, "board", broken)
    answer = await client.get(f"{orders_http.BASE}/board", headers=orders_http.crew())

    assert answer.status == 500
    assert b"secret name" not in answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "CONNECT"])
async def test_api8_a_method_that_no_door_has_is_refused(client: Client, method: str) -> None:
    answer = await client.ask(method, orders_http.ORDERS, headers=orders_http.guest())

    assert answer.status in (400, 404, 405)


async def test_api8_no_other_site_may_read_our_answers(client: Client) -> None:
    headers = {**orders_http.guest(), "Origin": "https://other.test"}

    answer = await client.get(orders_http.ORDERS, headers=headers)

    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("service", sorted(pods()))
def test_api9_every_route_is_in_a_document(service: str) -> None:
    described = set(documents()[service]["paths"])
    routes = list(_routes(pods()[service].routes))
    hidden = {route.path for route in routes if not route.include_in_schema}

    assert hidden == UNDOCUMENTED | {f"/apis/{service}/openapi.json"}
    # The routes of an included router do not know what stands before them.
    shown = [route.path for route in routes if route.include_in_schema]
    assert not [path for path in shown if not any(known.endswith(path) for known in described)]
    assert len(set(shown)) == len(described)


@pytest.mark.parametrize("service", sorted(pods()))
def test_api9_every_path_names_its_service_and_its_shop(service: str) -> None:
    paths = set(documents()[service]["paths"])

    assert {path for path in paths if not path.startswith(f"/apis/{service}/{{shop}}/")} == set()


def test_api9_the_public_door_leads_to_named_prefixes_alone() -> None:
    text = (REPOSITORY / "k8s/components/gateway/routes.yaml").read_text()
    prefixes = [
        line.split("value: ")[1].split("}")[0] for line in text.splitlines() if "value:" in line
    ]

    apis = {f"/apis/{service}" for service in pods()}
    # The screens have a door of their own; beside them there are the documented APIs alone.
    assert sorted(prefixes) == sorted({*apis, "/loja", "/assets"})


def _routes(routes: Any) -> Any:
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        yield from _routes(inner.routes) if inner is not None else (route,)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(raw=gzip.compress(b"0" * 50_000_000), headers={"Content-Encoding": "gzip"}),
        Reply(raw=b"0" * (transport.LARGEST_ANSWER + 1)),
        Reply(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"}),
        Reply(raw=b"[" * 100_000),
    ],
    ids=["a bomb", "too large", "a redirect inside", "nested"],
)
def test_api10_an_answer_of_the_provider_that_is_none_is_an_outage(reply: Reply) -> None:
    with scripted_server() as script:
        script.replies = [reply]
        apis = open_apis(script.url, "token-1", sleep=lambda _: None)

        begun = time.monotonic()
        with pytest.raises(MercadoPagoUnavailable):
            apis[Flavour.ORDERS].get("ORD01")

        assert time.monotonic() - begun < 5
        assert {asked.path.partition("?")[0] for asked in script.asked} == {"/v1/orders/ORD01"}


def test_api10_an_answer_that_drips_does_not_outlast_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Dripping:
        is_closed = False

        def read1(self, _: int, *, decode_content: bool) -> bytes:
            return b"x"

        def close(self) -> None:
            self.is_closed = True

    ticks = iter(range(1_000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(ticks)))
    dripping = Dripping()

    assert transport._body_of(dripping) is None
    assert dripping.is_closed
    assert next(ticks) < 2 * transport.DEADLINE_SECONDS
