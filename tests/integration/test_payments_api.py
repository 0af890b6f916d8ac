"""The API of payments over real HTTP, with the store in memory."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from comanda.ids import OrderId, new_id
from tests.payments_builders import (
    NOW,
    ORDER,
    OTHER_SHOP,
    Clock,
    Counter,
    cancelled,
    memory_counter,
    reserved,
)
from tests.payments_http import BASE, BrokenPayments, Client, opened
from workers.payments.model import Charge


@pytest.fixture
async def counter() -> Counter:
    counter = memory_counter()
    await counter.deliver(reserved())
    await counter.paid()
    await counter.deliver(cancelled())
    return counter


@pytest.fixture
async def client(counter: Counter) -> AsyncIterator[Client]:
    async with opened(counter.reader) as client:
        yield client


async def test_the_charges_of_an_order_are_shown_without_code_or_payer(client: Client) -> None:
    status, body = await client.get(f"{BASE}/charges?order_id={ORDER}", token="kitchen")

    (charge,) = body["charges"]
    assert (status, charge["status"], charge["amount"]) == (200, "PAID", "58.80")
    assert not {"request", "pix_code", "receiver"} & set(charge)


async def test_totals_are_those_of_the_ledger(client: Client) -> None:
    status, body = await client.get(f"{BASE}/totals")

    assert (status, body) == (
        200,
        {
            "charges": 1,
            "by_status": {"PAID": 1},
            "paid_total": "58.80",
            "refunded_total": "0.00",
            "disputed_total": "0.00",
            "pending_total": "0.00",
            "open_cases": 1,
        },
    )


async def test_open_cases_name_their_condition(client: Client) -> None:
    status, body = await client.get(f"{BASE}/cases")

    (case,) = body["cases"]
    assert (status, case["kind"], case["order_id"]) == (200, "paid_and_cancelled", ORDER)


async def test_the_notifications_of_a_resource_can_be_searched(
    client: Client, counter: Counter
) -> None:
    provider_id = (await counter.charge()).provider_id

    status, body = await client.get(f"{BASE}/notifications?resource_id={provider_id}")

    assert (status, [n["verdict"] for n in body["notifications"]]) == (200, ["applied"])


@pytest.mark.parametrize(
    ("path", "token", "expected"),
    [
        (f"{BASE}/totals", "", 401),
        (f"{BASE}/totals", "forged", 401),
        (f"{BASE}/totals", "guest", 403),
        (f"{BASE}/cases", "kitchen", 403),
        (f"{BASE}/totals", "theirs", 404),
        ("/apis/payments/no-such-shop/totals", "owner", 404),
        ("/apis/payments/NO/totals", "owner", 404),
        (f"{BASE}/charges", "owner", 422),
        (f"{BASE}/cases?limit=0", "owner", 422),
    ],
)
async def test_a_request_that_is_not_good_is_refused_with_a_problem(
    client: Client, path: str, token: str, expected: int
) -> None:
    status, problem = await client.get(path, token=token)

    assert (status, problem["status"]) == (expected, expected)


async def test_another_shops_staff_sees_only_its_own(client: Client) -> None:
    status, body = await client.get(f"/apis/payments/{OTHER_SHOP}/totals", token="theirs")

    assert (status, body["charges"], body["paid_total"]) == (200, 0, "0.00")


async def test_a_database_that_is_down_is_503() -> None:
    async with opened(BrokenPayments(clock=Clock())) as client:
        status, problem = await client.get(f"{BASE}/charges?order_id={ORDER}")
        ready, _ = await client.get("/health/ready", token="")

    assert (status, problem["status"], ready) == (503, 503, 503)


async def paid_charge(counter: Counter) -> Charge:
    await counter.deliver(reserved(OrderId("order-9")))
    return await counter.paid(OrderId("order-9"))


async def test_a_manager_pays_back_a_part_once_per_key(client: Client, counter: Counter) -> None:
    charge = await paid_charge(counter)
    path = f"{BASE}/charges/{charge.id}/refunds"
    body = {"amount": "10.00", "reason": "a hair in the soup"}

    first = await client.post(path, body)
    again = await client.post(path, body)
    other = await client.post(path, {**body, "amount": "11.00"})
    await counter.settle()

    assert (first[0], first[1]["amount"], first[1]["status"]) == (201, "10.00", "PLANNED")
    assert (again[0], again[1]["id"], again[2]) == (201, first[1]["id"], True)
    assert other[0] == 422
    status, shown = await client.get(path)
    assert (status, [refund["status"] for refund in shown["refunds"]]) == (200, ["DONE"])
    status, ledger = await client.get(f"{BASE}/charges/{charge.id}/ledger")
    told = [(line["kind"], line["amount"], line["source"]) for line in ledger["entries"]]
    assert told[1:] == [("refunded", "10.00", "operator")]


@pytest.mark.parametrize(
    ("body", "key", "token", "expected"),
    [
        ({"reason": "all of it"}, "k", "kitchen", 403),
        ({"reason": "all of it"}, "k", "guest", 403),
        ({"reason": "all of it"}, "", "owner", 422),
        ({"amount": "10.00"}, "k", "owner", 422),
        ({"amount": "10.00", "reason": " "}, "k", "owner", 422),
        ({"amount": "10,00", "reason": "comma"}, "k", "owner", 422),
        ({"amount": "0", "reason": "nothing"}, "k", "owner", 422),
        ({"amount": "-1", "reason": "minus"}, "k", "owner", 422),
        ({"amount": 10, "reason": "number"}, "k", "owner", 422),
        ({"amount": "58.81", "reason": "too much"}, "k", "owner", 409),
    ],
)
async def test_a_refund_that_is_not_good_is_refused(
    client: Client, counter: Counter, *, body: Any, key: str, token: str, expected: int
) -> None:
    charge = await paid_charge(counter)

    answer = await client.post(f"{BASE}/charges/{charge.id}/refunds", body, key=key, token=token)

    assert (answer[0], answer[1]["status"]) == (expected, expected)


async def test_a_charge_of_nobody_and_of_another_shop_cannot_be_paid_back(
    client: Client, counter: Counter
) -> None:
    charge = await paid_charge(counter)
    body = {"reason": "all of it"}

    unknown = await client.post(f"{BASE}/charges/nobody/refunds", body)
    foreign = await client.post(
        f"/apis/payments/{OTHER_SHOP}/charges/{charge.id}/refunds", body, token="theirs"
    )

    assert (unknown[0], foreign[0]) == (404, 404)


async def test_a_case_is_closed_once_with_a_reason(client: Client) -> None:
    _, body = await client.get(f"{BASE}/cases")
    path = f"{BASE}/cases/{body['cases'][0]['id']}/resolution"

    without = await client.post(path, {})
    closed = await client.post(path, {"reason": "paid back in cash"})
    again = await client.post(path, {"reason": "paid back in cash"})
    cook = await client.post(path, {"reason": "paid back in cash"}, token="kitchen")
    _, left = await client.get(f"{BASE}/cases")

    assert (without[0], closed[0], again[0], cook[0]) == (422, 200, 404, 403)
    assert left["cases"] == []


async def test_the_reconciliation_and_the_audit_are_for_the_office(client: Client) -> None:
    _, report = await client.get(f"{BASE}/reconciliation?hours=2160")
    _, charges = await client.get(f"{BASE}/audit/charges")
    _, cases = await client.get(f"{BASE}/audit/cases")
    refused = [
        (await client.get(f"{BASE}/{path}", token="kitchen"))[0]
        for path in ("reconciliation", "audit/charges", "audit/cases")
    ]

    assert (report["open"], report["refunding"], report["repaired"]) == (1, 1, 0)
    (charge,) = charges["charges"]
    assert (charge["charged"], charge["open_attempts"], charges["next"]) == ("58.80", 1, None)
    assert [case["is_open"] for case in cases["cases"]] == [True]
    assert refused == [403, 403, 403]


async def test_a_manager_has_a_charge_checked_and_a_cook_does_not(
    client: Client, counter: Counter
) -> None:
    charge = await counter.charge()
    path = f"{BASE}/charges/{charge.id}/check"

    status, shown, _ = await client.post(path, {}, key="")
    refused = [(await client.post(path, {}, token=who))[0] for who in ("kitchen", "guest")]
    unknown = (await client.post(f"{BASE}/charges/nobody/check", {}))[0]
    theirs = await client.post(
        f"/apis/payments/{OTHER_SHOP}/charges/{charge.id}/check", {}, token="theirs"
    )

    assert (status, shown["id"]) == (202, charge.id)
    assert shown["next_check_at"] is not None
    assert (refused, unknown, theirs[0]) == ([403, 403], 404, 404)


WINDOW = "since=2026-03-04T00:00:00Z&until=2026-03-05T00:00:00Z"


async def test_a_days_charges_and_movements_are_read_by_managers(
    counter: Counter, client: Client
) -> None:
    order_id = OrderId(new_id(NOW))
    await counter.deliver(reserved(order_id))
    await counter.paid(order_id)

    _, found = await client.get(f"{BASE}/closing/charges?{WINDOW}&limit=1")
    _, rest = await client.get(f"{BASE}/closing/charges?{WINDOW}&after={found['next']}")
    _, moved = await client.get(f"{BASE}/closing/movements?{WINDOW}")

    (charge,) = found["charges"]
    assert (charge["order_id"], charge["charged"], charge["refunded"]) == (
        order_id,
        "58.80",
        "0.00",
    )
    assert rest == {"charges": [], "next": None}
    assert (moved["charged"], moved["refunded"]) == ("117.60", "0.00")
    for path in ("charges", "movements"):
        assert (await client.get(f"{BASE}/closing/{path}?{WINDOW}", token="kitchen"))[0] == 403


@pytest.mark.parametrize(
    "window",
    [
        "since=2026-03-04T00:00:00Z&until=2026-03-07T00:00:00Z",
        "since=2026-03-04T00:00:00Z&until=2026-03-04T00:00:00Z",
        "since=2026-03-04T00:00:00&until=2026-03-05T00:00:00",
        "since=0001-01-01T00:00:00Z&until=0001-01-02T00:00:00Z",
        "since=9999-12-31T00:00:00Z&until=9999-12-31T23:00:00Z",
        "since=2026-03-04T00:00:00Z",
    ],
)
async def test_a_window_that_is_no_day_is_refused(client: Client, window: str) -> None:
    status, _ = await client.get(f"{BASE}/closing/movements?{window}")

    assert status == 422
