"""The provider's own SDK drives the simulator: create, get, cancel, refund and search of both APIs.

The SDK has no setting for its address, so its HTTP client is replaced by one that rewrites it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import mercadopago
import pytest
from mercadopago.config import RequestOptions
from mercadopago.http import HttpClient

from tests.mercadopago_simulator import TOKEN, Bench, bench, code_of, order_body, payment_body

DAYS = {"begin_date": "2020-01-01T00:00:00Z", "end_date": "2099-01-01T00:00:00Z"}


class Rewriting(HttpClient):
    """Send to the simulator what is meant for the provider."""

    def __init__(self, url: str) -> None:
        self._url = url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        here = url.replace("https://api.mercadopago.com", self._url)
        return super().request(method, here, *args, **kwargs)


class Driver:
    """The SDK, called beside the loop that serves it."""

    def __init__(self, sim: Bench) -> None:
        self.sim = sim
        self.sdk = mercadopago.SDK(TOKEN, http_client=Rewriting(sim.url))

    async def __call__(self, call: Callable[..., Any], *args: Any, key: str = "") -> Any:
        options = RequestOptions(custom_headers={"x-idempotency-key": key or str(uuid4())})
        return await asyncio.to_thread(call, *args, options)

    async def read(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.to_thread(call, *args)


@pytest.fixture
async def drive(tmp_path: Path) -> AsyncIterator[Driver]:
    async with bench(tmp_path) as sim:
        yield Driver(sim)


async def test_an_order_is_created_read_and_found(drive: Driver) -> None:
    orders, body = drive.sdk.order(), order_body()

    made = await drive(orders.create, body, key="k")
    again = await drive(orders.create, body, key="k")
    read = await drive.read(orders.get, made["response"]["id"])
    found = await drive.read(
        orders.search, {**DAYS, "external_reference": body["external_reference"]}
    )

    assert (made["status"], again["status"], read["status"], found["status"]) == (
        201,
        201,
        200,
        200,
    )
    assert made["response"] == again["response"] == read["response"]
    assert [order["id"] for order in found["response"]["data"]] == [made["response"]["id"]]


async def test_an_order_is_cancelled(drive: Driver) -> None:
    orders = drive.sdk.order()
    made = await drive(orders.create, order_body())

    done = await drive(orders.cancel, made["response"]["id"])
    twice = await drive(orders.cancel, made["response"]["id"])

    assert (done["status"], done["response"]["status"]) == (200, "canceled")
    assert (twice["status"], twice["response"]["errors"][0]["code"]) == (
        409,
        "order_already_canceled",
    )


async def test_an_order_is_refunded_in_part_and_whole(drive: Driver) -> None:
    orders = drive.sdk.order()
    order = (await drive(orders.create, order_body()))["response"]
    await drive.sim.control("pay", pix_code=code_of(order))
    part = {"transactions": [{"id": order["transactions"]["payments"][0]["id"], "amount": "8.80"}]}

    first = await drive(orders.refund, order["id"], part)
    rest = await drive(orders.refund, order["id"], None)

    assert (first["status"], first["response"]["status_detail"]) == (201, "partially_refunded")
    assert (rest["status"], rest["response"]["status"]) == (201, "refunded")


async def test_orders_are_paged_by_the_sdks_own_pager(drive: Driver) -> None:
    made = [await drive.sim.order() for _ in range(5)]

    def listed() -> list[str]:
        pages = drive.sdk.order().search_auto_paging_iter(dict(DAYS), limit=2)
        return [order["id"] for order in pages]

    assert sorted(await asyncio.to_thread(listed)) == sorted(order["id"] for order in made)


async def test_a_payment_is_created_read_and_found(drive: Driver) -> None:
    payments, body = drive.sdk.payment(), payment_body()

    made = await drive(payments.create, body, key="k")
    again = await drive(payments.create, body, key="k")
    read = await drive.read(payments.get, made["response"]["id"])
    found = await drive.read(
        payments.search,
        {
            "sort": "date_created",
            "criteria": "desc",
            "external_reference": body["external_reference"],
        },
    )

    assert (made["status"], again["status"], read["status"], found["status"]) == (
        201,
        200,
        200,
        200,
    )
    assert made["response"] == again["response"] == read["response"]
    assert [p["id"] for p in found["response"]["results"]] == [str(made["response"]["id"])]


async def test_a_payment_is_cancelled(drive: Driver) -> None:
    payments = drive.sdk.payment()
    made = await drive(payments.create, payment_body())

    done = await drive(payments.update, made["response"]["id"], {"status": "cancelled"})
    twice = await drive(payments.update, made["response"]["id"], {"status": "cancelled"})

    assert (done["status"], done["response"]["status"]) == (200, "cancelled")
    assert (twice["status"], twice["response"]["cause"][0]["code"]) == (400, 3005)


async def test_a_payment_is_refunded_in_part_and_whole(drive: Driver) -> None:
    payment = (await drive(drive.sdk.payment().create, payment_body()))["response"]
    await drive.sim.control("pay", id=str(payment["id"]))
    refunds = drive.sdk.refund()

    part = await drive(refunds.create, payment["id"], {"amount": 8.8})
    rest = await drive(refunds.create, payment["id"], None)
    listed = await drive.read(refunds.list_all, payment["id"])
    one = await drive.read(refunds.get, payment["id"], part["response"]["id"])

    assert (part["status"], rest["status"], rest["response"]["amount"]) == (201, 201, 50)
    assert [refund["amount"] for refund in listed["response"]] == [8.8, 50]
    assert one["response"] == part["response"]


async def test_the_sdk_reads_chargebacks_merchant_orders_and_the_account(drive: Driver) -> None:
    order = await drive.sim.paid_order()
    opened = await drive.sim.control("disputes", id=order["id"], kind="chargeback")
    number = order["transactions"]["payments"][0]["reference_id"]

    chargeback = await drive.read(drive.sdk.chargeback().get, opened.body["dispute_id"])
    merchant_order = await drive.read(drive.sdk.merchant_order().get, number)
    account = await drive.read(drive.sdk.user().get)

    assert chargeback["response"]["payments"] == [int(number)]
    assert merchant_order["response"]["order_status"] == "paid"
    assert account["response"]["id"] == 42


async def test_a_refusal_has_a_code_that_the_sdk_shows(drive: Driver) -> None:
    order = await drive(drive.sdk.order().create, order_body(type="point"))
    payment = await drive(drive.sdk.payment().create, payment_body(payment_method_id="x"))

    assert order["response"]["errors"][0]["code"] == "invalid_order_type"
    assert payment["response"]["cause"][0]["code"] == 3028
