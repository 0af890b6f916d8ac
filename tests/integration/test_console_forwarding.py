"""Browsers at one console have budgets of their own at auth, and nobody can name another's."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import boto3
import pytest
import uvicorn
from aiohttp import web
from cryptography.fernet import Fernet
from fastapi import FastAPI

from comanda.forwarding import HEADER, Target, told
from comanda.ids import ShopId
from console.queues.caller import open_caller
from console.queues.queues import Queues
from console.screens.app import build_app, desk_over
from console.screens.contexts import Context
from local.gateway.chalice_app import gateway_of
from local.gateway.edge import Edge
from tests.identity_builders import SHOP
from tests.identity_doors import SHOPS, lambda_environment
from tests.log_watch import forbid

KEY = secrets.token_bytes(32)
BUDGET = 3
# Two windows may meet under way, and so many fill at least one.
ENOUGH = 2 * BUDGET + 1
OTHER = next(shop for shop in SHOPS if shop != SHOP)
ANA, BETO, EVA = "127.0.0.2", "127.0.0.3", "127.0.0.4"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def aws() -> Iterator[None]:
    for address in (ANA, BETO, EVA):
        forbid(address)
    keys = [("pk", "HASH"), ("sk", "RANGE")]
    with lambda_environment(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMANDA_GUESTS_PER_ADDRESS", str(BUDGET))
        boto3.client("dynamodb").create_table(
            TableName="none",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        yield


def share(key: bytes) -> None:
    """Put the key of the screens where auth looks for it."""
    boto3.client("secretsmanager").create_secret(
        Name="comanda/laptop/console/forwarding-keys", SecretString=json.dumps({"keys": key.hex()})
    )


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Serve an app on a port of its own."""
    config = uvicorn.Config(app, port=0, log_config=None, proxy_headers=False, lifespan="auto")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


@asynccontextmanager
async def doors() -> AsyncIterator[tuple[str, str]]:
    """Give the address of the edge before the screens, and that of auth, which they ask."""
    async with (
        served(gateway_of("auth_lambda")) as auth,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        desk = desk_over(
            session,
            urls={**dict.fromkeys(Context, NOWHERE), Context.AUTH: auth},
            keys=Fernet.generate_key().decode(),
            queues=Queues(open_caller(NOWHERE), stage="test"),
            forwarding_keys=KEY.hex(),
        )

        @asynccontextmanager
        async def connect(app: FastAPI) -> AsyncIterator[None]:
            app.state.desk = desk
            yield

        app = build_app((ShopId(SHOP),), public_url="http://public", connect=connect, proxies=1)
        async with served(app) as screens:
            runner = web.AppRunner(Edge({"/loja": screens}).application(), shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}", auth
            await runner.cleanup()


async def visits(edge: str, *, at: str, times: int, **headers: str) -> list[int]:
    """Begin visits at kiosks of this address; each looks like a new one to the screens."""
    connector = aiohttp.TCPConnector(local_addr=(at, 0))
    jar = aiohttp.DummyCookieJar()
    statuses = []
    async with aiohttp.ClientSession(edge, connector=connector, cookie_jar=jar) as kiosk:
        for number in range(times):
            answer = await kiosk.post(
                f"/loja/{SHOP}/pedir/visita",
                json={"kiosk": f"totem-{number}"},
                headers={"Sec-Fetch-Site": "same-origin", **headers},
            )
            statuses.append(answer.status)
    return statuses


@pytest.mark.usefixtures("aws")
async def test_one_browser_is_throttled_while_another_behind_the_same_console_is_not() -> None:
    share(KEY)

    async with doors() as (edge, _):
        first = await visits(edge, at=ANA, times=ENOUGH)
        second = await visits(edge, at=BETO, times=BUDGET)

    assert first[:BUDGET] == second == [201] * BUDGET
    assert 422 in first


@pytest.mark.usefixtures("aws")
async def test_without_a_key_in_common_all_browsers_are_counted_as_the_console() -> None:
    share(secrets.token_bytes(32))

    async with doors() as (edge, _):
        statuses = [
            status
            for address in (ANA, BETO, EVA)
            for status in await visits(edge, at=address, times=BUDGET)
        ]

    # In two windows at most; with budgets of their own it would be three times one budget.
    assert statuses.count(201) <= 2 * BUDGET
    assert statuses[:BUDGET] == [201] * BUDGET


@pytest.mark.usefixtures("aws")
async def test_a_browser_that_makes_up_hops_or_words_spends_its_own_budget() -> None:
    share(KEY)
    now = datetime.now(UTC)
    target = Target(method="POST", path=f"/apis/auth/{SHOP}/guests")
    forged = {HEADER: told(BETO, target=target, now=now, key=b"f" * 32)}

    async with doors() as (edge, _):
        spent = [
            *await visits(edge, at=EVA, times=2, **{"X-Forwarded-For": BETO}),
            *await visits(edge, at=EVA, times=2, **{"X-Forwarded-For": f"{BETO}, {ANA}, {BETO}"}),
            *await visits(edge, at=EVA, times=2, **forged),
            *await visits(edge, at=EVA, times=1, **{"X-Forwarded-For": "198.51.100.1"}, **forged),
        ]
        untouched = await visits(edge, at=BETO, times=BUDGET)

    assert len(spent) == ENOUGH
    assert 422 in spent
    assert untouched == [201] * BUDGET


@pytest.mark.usefixtures("aws")
async def test_who_asks_auth_itself_cannot_choose_for_whom_it_is_counted() -> None:
    share(KEY)
    now = datetime.now(UTC)
    guests = Target(method="POST", path=f"/apis/auth/{SHOP}/guests")
    elsewhere = Target(method="POST", path=f"/apis/auth/{OTHER}/guests")
    good = told(BETO, target=guests, now=now, key=KEY)
    words = [
        "",
        BETO,
        f"{good};{good}",
        good.replace(BETO, ANA),
        told(BETO, target=guests, now=now - timedelta(minutes=2), key=KEY),
        told(BETO, target=elsewhere, now=now, key=KEY),
        told(BETO, target=Target(method="PUT", path=guests.path), now=now, key=KEY),
    ]

    async with doors() as (_, auth), from_address(EVA, auth) as eva:
        refused = [await guest(eva, word) for word in words]
        ours = [await guest(eva, good) for _ in range(ENOUGH)]

    assert len(words) == ENOUGH
    assert 429 in refused
    # The screens' own word is worth Beto's budget, and no more.
    assert ours[:BUDGET] == [201] * BUDGET
    assert 429 in ours


@asynccontextmanager
async def from_address(address: str, url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a client that has this address."""
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    async with aiohttp.ClientSession(url, connector=connector) as session:
        yield session


async def guest(session: aiohttp.ClientSession, word: str) -> int:
    """Ask for a guest's token with this word for whom it is."""
    path = f"/apis/auth/{SHOP}/guests"
    answer = await session.post(path, json={"kiosk": "k1"}, headers={HEADER: word})
    return answer.status
