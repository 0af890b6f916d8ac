"""In the browser: why an order is where it is in a minute, and a dead letter sent again."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from playwright.async_api import Browser, Page, expect

from local.supervisor import System
from tests.browsers import SHOP, Floor, chromium, violations
from tests.console_letters import event_body

pytestmark = pytest.mark.timeout(180)
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def seen(page: Page) -> None:
    assert await violations(page, AXE) == []


async def test_an_engineer_finds_an_orders_story_and_sends_a_dead_letter_again(
    system: System, browser: Browser
) -> None:
    floor = Floor.of(system, browser)
    reason = f"a test {uuid4().hex[:6]}"
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "sa-east-1"}
    sqs = boto3.client("sqs", endpoint_url=system.urls["bus"], **keys)
    url = sqs.get_queue_url(QueueName="comanda-laptop-archive-dlq")["QueueUrl"]
    why = {"reason": {"DataType": "String", "StringValue": reason}}
    sqs.send_message(QueueUrl=url, MessageBody=event_body(1, shop=SHOP), MessageAttributes=why)
    kiosk = await floor.page("pedir?totem=totem-9")
    await floor.pay(await floor.order(kiosk))
    await kiosk.get_by_text("Pago!").wait_for()
    order_id = kiosk.url.rpartition("/")[2].partition("?")[0]

    page = await floor.staff_page("owner", "equipe")
    await page.get_by_role("link", name="Sistema", exact=True).click()
    await expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    await seen(page)
    await page.get_by_role("link", name="dead letters of archive").click()
    card = page.locator("article", has_text=reason)
    await seen(page)
    await card.get_by_label("Why").fill("it is mended")
    await card.get_by_label("confirm").fill("archive")
    await card.get_by_role("button", name="Send back").click()
    await expect(page.get_by_role("status")).to_have_text("1 sent back.")
    await expect(page.get_by_text(reason)).to_have_count(0)

    for path, heading in (
        ("topology", "Topology"),
        ("acts", "Who did what"),
        ("webhooks", "Webhooks"),
    ):
        await page.goto(floor.url(f"ops/{path}"))
        await expect(page.get_by_role("heading", name=heading)).to_be_visible()
        await seen(page)
    await page.goto(floor.url("ops/topology"))
    await expect(page.locator("tr", has_text="archive").get_by_text("ready")).to_have_count(2)
    await page.goto(floor.url("ops/acts?what=dead-letters.sent-back"))
    await expect(page.locator("tr", has_text="it is mended")).to_contain_text("letters: 1")

    await page.goto(floor.url("ops/journey"))
    await seen(page)
    await page.fill("[name=order]", order_id)
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("order: PENDING_PAYMENT → RECEIVED")).to_be_visible()
    await seen(page)
    await page.get_by_role("link", name="simulator", exact=True).click()
    await page.get_by_role("button", name="Tell five times").click()
    await expect(page.get_by_role("status")).to_contain_text("Told five times")
    await seen(page)
    await page.goto(floor.url(f"ops/journey/{order_id}"))
    await page.get_by_role("link", name="order", exact=True).click()
    await page.get_by_role("button", name="Conferir agora").click()
    await expect(page.get_by_role("status")).to_contain_text("Perguntamos ao Mercado Pago")
