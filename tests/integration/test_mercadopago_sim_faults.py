"""Each fault of a call does what its name says, as its rule says, and the truth stays the truth."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.mercadopago.faults import KINDS
from tests import mercadopago_simulator
from tests.mercadopago_simulator import (
    OTHER_SHOP,
    OTHER_TOKEN,
    Bench,
    bench,
    create,
    order_body,
    words,
)

sim = mercadopago_simulator.sim


@pytest.mark.parametrize(("value", "sent"), [("2", "2"), ("soon", "soon"), ("", None)])
async def test_rate_limited(sim: Bench, value: str, sent: str | None) -> None:
    await sim.fault("rate_limited", value=value, count=1)

    limited, then = await create(sim), await create(sim)

    assert (limited.status, limited.headers.get("retry-after")) == (429, sent)
    assert then.status == 201


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_error_does_nothing_and_says_nothing(sim: Bench, status: int) -> None:
    await sim.fault("error", value=status, count=1)

    said = await create(sim)

    assert (said.status, said.body["message"], said.body["cause"]) == (status, None, [])
    assert await sim.truth() == []


async def test_error_after_has_done_the_work_and_the_key_remembers(sim: Bench) -> None:
    await sim.fault("error_after", value=503, count=1)

    said, then = await create(sim), await create(sim)

    assert (said.status, then.status) == (503, 201)
    assert [charge["id"] for charge in await sim.truth()] == [then.body["id"]]


async def test_html(sim: Bench) -> None:
    await sim.fault("html", value=200, count=1)

    said = await create(sim)

    assert (said.status, said.headers["content-type"].split(";")[0]) == (200, "text/html")
    assert await sim.truth() == []


async def test_truncated_has_done_the_work(sim: Bench) -> None:
    await sim.fault("truncated", count=1)

    with pytest.raises(json.JSONDecodeError):
        await create(sim)

    assert len(await sim.truth()) == 1


@pytest.mark.parametrize(("kind", "made"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_connection_comes_before_or_after_the_work(
    sim: Bench, kind: str, made: int
) -> None:
    await sim.fault(kind, count=1)

    with pytest.raises(aiohttp.ClientError):
        await create(sim)

    assert len(await sim.truth()) == made
    assert (await create(sim)).status == 201
    assert len(await sim.truth()) == 1


async def test_unauthorized(sim: Bench) -> None:
    await sim.fault("unauthorized", count=1)

    said = await create(sim)

    assert (said.status, said.code) == (401, "invalid_credentials")


async def test_no_pix_key(sim: Bench) -> None:
    await sim.fault("no_pix_key")

    said = await create(sim)

    assert (said.status, said.code) == (400, "13253")


async def test_slow_before_locks_the_key_meanwhile(sim: Bench) -> None:
    await sim.fault("slow_before", value=0.3, count=1)

    twins = await asyncio.gather(create(sim), create(sim))

    made, locked = sorted(twins, key=lambda said: said.status)
    assert (made.status, locked.status, locked.code) == (201, 423, "resource_locked")
    assert (await create(sim)).body == made.body


async def test_slow_answers_late_but_works_at_once(sim: Bench) -> None:
    await sim.fault("slow", value=0.5, count=1)
    first = asyncio.create_task(create(sim))

    while not await sim.truth():
        assert not first.done()

    assert not first.done()
    assert (await first).status == 201


async def test_a_fault_keeps_to_its_shop_reference_and_operation(sim: Bench) -> None:
    await sim.fault("error", shop=OTHER_SHOP)
    await sim.fault("error", reference="that-one")
    await sim.fault("error", operation="search")
    order = await sim.order()

    async def status(method: str, path: str, body: Any = None, **more: Any) -> int:
        return (await sim.call(method, path, body, **more)).status

    days = {"begin_date": "2020-01-01", "end_date": "2099-01-01"}
    assert await status("GET", f"/v1/orders/{order['id']}") == 200
    assert await status("GET", "/v1/orders", **days) == 500
    assert await status("POST", "/v1/orders", order_body(external_reference="that-one")) == 500
    assert await status("POST", "/v1/orders", order_body(), token=OTHER_TOKEN) == 500


async def test_a_rate_strikes_as_often_and_the_same_each_time(tmp_path: Path) -> None:
    async def statuses(folder: str) -> list[int]:
        async with bench(tmp_path / folder) as sim:
            await sim.fault("error", rate=0.3)
            return [(await sim.call("GET", "/users/me")).status for _ in range(200)]

    first = await statuses("first")

    assert 40 <= first.count(500) <= 80
    assert await statuses("second") == first


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"kind": "nothing"},
        {"kind": "error", "value": 404},
        {"kind": "error", "rate": 2},
        {"kind": "error", "rate": True},
        {"kind": "error", "count": 0},
        {"kind": "error", "operation": "x"},
        {"kind": "error", "reference": 1},
        {"kind": "error", "often": True},
        {"kind": "truncated", "value": 1},
        {"kind": "slow", "value": "long"},
        {"kind": "slow", "value": -1},
        {"kind": "webhook_duplicated", "value": 1},
        {"kind": "dispute", "value": "quarrel"},
        {"kind": "wrong_amount", "value": "much"},
        {"kind": "wrong_amount", "value": "1.001"},
        {"kind": "wrong_currency", "value": 1},
    ],
)
async def test_a_rule_that_cannot_be_is_refused(sim: Bench, rule: dict[str, Any]) -> None:
    said = await sim.control("faults", **rule)

    assert said.status == 422
    assert said.body["error"]
    assert (await sim.look("faults"))["faults"] == []


async def test_faults_are_removed_one_by_one_and_all_together(sim: Bench) -> None:
    first = await sim.fault("error")
    await sim.fault("html")
    await sim.fault("truncated")

    one = await sim.call("DELETE", f"/_control/faults/{first}", token=None)
    none = await sim.call("DELETE", f"/_control/faults/{first}", token=None)
    rest = await sim.call("DELETE", "/_control/faults", token=None)

    assert (one.body, none.status, rest.body) == ({"removed": 1}, 404, {"removed": 2})
    assert (await create(sim)).status == 201


async def test_every_kind_of_fault_can_be_set(sim: Bench) -> None:
    for kind in KINDS:
        await sim.fault(kind, rate=0)

    assert [rule["kind"] for rule in (await sim.look("faults"))["faults"]] == list(KINDS)
    assert words(await sim.paid_order()) == ("processed", "accredited")
