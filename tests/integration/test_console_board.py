"""The kitchen's board and the call screen: one reader for all who look, and never a quiet lie."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from console.screens import board as boards
from tests.console_bed import SHOP, Bed, an_order, csrf_of, opened, sign_in

BOARD, CALLS = f"/loja/{SHOP}/cozinha", f"/loja/{SHOP}/senhas"


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with opened() as bed:
        yield bed


@pytest.fixture
async def browser(bed: Bed) -> AsyncIterator[aiohttp.ClientSession]:
    async with bed.browser() as browser:
        await sign_in(browser)
        yield browser


class Stream:
    """The events of one stream, as a browser hears them."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def next(self, *, name: str = "") -> tuple[str, str]:
        """Wait for an event of this name; give its id and its data."""
        async with asyncio.timeout(10):
            while True:
                kind, ident, data = await self._event()
                if kind == name and data:
                    return ident, data

    async def _event(self) -> tuple[str, str, str]:
        fields: dict[str, list[str]] = {}
        while line := (await self._answer.content.readline()).decode().rstrip("\n"):
            field, _, value = line.partition(": ")
            fields.setdefault(field, []).append(value)
        return (*("".join(fields.get(k, [])) for k in ("event", "id")), "\n".join(fields["data"]))


async def test_a_new_order_reaches_every_open_board(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{BOARD}/aovivo") as one, browser.get(f"{CALLS}/aovivo") as other:
        streams = Stream(one), Stream(other)
        for stream in streams:
            await stream.next()
        order = bed.contexts.put(an_order(7, name="Ana Maria"))
        seen = [await stream.next() for stream in streams]

    assert all(f"-{order['id']}" in data for _, data in seen)
    assert "Ana Maria" in seen[0][1]
    assert "Ana" in seen[1][1]
    assert "Maria" not in seen[1][1]


async def test_a_step_moves_the_card_on_another_screen_and_can_be_taken_back(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    order = bed.contexts.put(an_order())
    headers = {"X-CSRF": await csrf_of(browser)}
    async with browser.get(f"{BOARD}/aovivo") as answer:
        stream = Stream(answer)
        await stream.next()
        took = await browser.post(f"{BOARD}/pedidos/{order['id']}/start", headers=headers)
        _, data = await stream.next()

    assert 'data-status="IN_PREPARATION"' in data
    assert f"{BOARD}/pedidos/{order['id']}/undo-start" in await took.text()


async def test_a_hundred_boards_cost_one_reader_and_one_rendering_a_change(
    bed: Bed, browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []

    def counting(template: str, **values: object) -> str:
        rendered.append(template)
        return f"<p>{len(values['columns']['RECEIVED'])}</p>"  # type: ignore[index]

    monkeypatch.setattr(boards, "render", counting)
    answers = await asyncio.gather(*(browser.get(f"{BOARD}/aovivo") for _ in range(100)))
    streams = [Stream(answer) for answer in answers]
    await asyncio.gather(*(stream.next() for stream in streams))
    before = bed.contexts.asked["GET orders board"]
    bed.contexts.put(an_order())
    seen = await asyncio.gather(*(stream.next() for stream in streams))
    after = bed.contexts.asked["GET orders board"]
    for answer in answers:
        answer.close()

    assert {data for _, data in seen} == {"<p>1</p>"}
    assert len(rendered) == 2
    # A change is seen within a reading or two, however many look.
    assert after - before <= 6


async def test_who_comes_back_is_not_sent_what_they_have(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    bed.contexts.put(an_order())
    async with browser.get(f"{BOARD}/aovivo") as answer:
        known, _ = await Stream(answer).next()
    async with browser.get(f"{BOARD}/aovivo", headers={"Last-Event-ID": known}) as answer:
        stream = Stream(answer)
        _, life = await stream.next(name="alive")
        bed.contexts.put(an_order(2))
        newer, _ = await stream.next()

    assert life == "0"
    assert newer != known


async def test_a_board_that_cannot_be_read_says_so_and_heals(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{BOARD}/aovivo") as answer:
        stream = Stream(answer)
        await stream.next()
        bed.contexts.down.add("orders")
        _, silence = await stream.next(name="silent")
        bed.contexts.down.clear()
        bed.contexts.put(an_order())
        _, data = await stream.next()
        await stream.next(name="alive")

    assert int(silence) >= 3
    assert "card" in data


async def test_a_board_is_not_shown_when_orders_is_down(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    bed.contexts.down.add("orders")

    answer = await browser.get(BOARD)

    assert answer.status == 503
    assert answer.headers["retry-after"] == "2"
    assert "Nada se perdeu" in await answer.text()


async def test_nobody_reads_when_nobody_looks(
    bed: Bed, browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "_LINGER", 0.1)
    async with browser.get(f"{BOARD}/aovivo") as answer:
        await Stream(answer).next()
    async with asyncio.timeout(10):
        while any(task.get_name() == f"board {SHOP}" for task in asyncio.all_tasks()):
            await asyncio.sleep(0.05)
    before = bed.contexts.asked["GET orders board"]
    await asyncio.sleep(0.6)

    assert bed.contexts.asked["GET orders board"] == before


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "x\n\ndata: y"]
)
async def test_what_customers_type_is_shown_as_text(
    bed: Bed, browser: aiohttp.ClientSession, text: str
) -> None:
    line: dict[str, Any] = {**an_order()["lines"][0], "notes": text}
    bed.contexts.put(an_order(name=text, lines=[line]))
    async with browser.get(f"{BOARD}/aovivo") as answer:
        _, data = await Stream(answer).next()
    page = await (await browser.get(BOARD)).text()

    for shown in (data, page):
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
    assert data.rstrip().endswith("</section>")


async def test_a_step_that_came_too_late_is_told_on_the_board(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    order = bed.contexts.put(an_order())
    bed.contexts.refusal = (409, {"title": "This step is not possible now"})
    headers = {"X-CSRF": await csrf_of(browser)}

    answer = await browser.post(f"{BOARD}/pedidos/{order['id']}/start", headers=headers)

    assert answer.status == 409
    assert "já mudou" in await answer.text()


async def test_the_board_counts_what_is_to_be_made_in_all(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    for number, status in enumerate(("RECEIVED", "IN_PREPARATION", "READY"), start=1):
        bed.contexts.put(an_order(number, status=status))

    page = await (await browser.get(BOARD)).text()

    assert "<b>4×</b> X-Salada" in page


async def test_a_process_that_stops_ends_its_streams_at_once(
    bed: Bed, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{BOARD}/aovivo") as answer:
        await Stream(answer).next()
        bed.desk.stopping.set()
        async with asyncio.timeout(1):
            rest = await answer.content.read()

    assert b"<section" not in rest
