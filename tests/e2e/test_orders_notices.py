"""What a customer is told on the whole laptop: by mail, and by the page that follows the order."""

import asyncio
import json
from uuid import uuid4

import aiohttp
from rich.console import Console

from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.demo.people import Mailbox
from local.demo.walk import walk_all
from local.supervisor import System

_PATIENCE = 20


async def test_a_customer_is_mailed_that_the_order_is_paid_and_that_it_is_ready(
    system: System,
) -> None:
    doors = doors_of(system)
    async with aiohttp.ClientSession() as session:
        mailbox = Mailbox(session, aws_url=system.urls["ministack"])
        _, order = await walk_all(
            Shopper(session, doors),
            shop=doors.shops[0],
            mailbox=mailbox,
            console=Console(quiet=True),
        )
        number = order["call_number"]
        wanted = {
            f"Pedido {number}: pagamento confirmado",
            f"Pedido {number}: pronto",
        }
        async with asyncio.timeout(_PATIENCE):
            while not wanted <= (found := await _subjects(session, system)).keys():
                await asyncio.sleep(0.2)

    assert [found[subject] for subject in sorted(wanted)] == [1, 1]


async def test_a_page_sees_its_order_paid_through_the_public_door(system: System) -> None:
    doors = doors_of(system)
    async with aiohttp.ClientSession() as session:
        shopper, shop = Shopper(session, doors), doors.shops[0]
        token = await shopper.guest_token(shop)
        product = (await shopper.menu(shop))[-1]
        lines = [{"product_id": product["id"], "quantity": 1}]
        order = await shopper.order(shop, lines, token=token, key=str(uuid4()))
        url = f"{doors.edge}/apis/orders/{shop}/orders/{order['id']}/stream"
        seen: list[str] = []
        async with (
            asyncio.timeout(_PATIENCE),
            session.get(url, headers={"Authorization": f"Bearer {token}"}) as answer,
        ):
            async for raw in answer.content:
                if raw.startswith(b"data: "):
                    seen.append(json.loads(raw.removeprefix(b"data: "))["status"])
                    if seen[-1] == "RECEIVED":
                        break
                    if len(seen) == 1:
                        await shopper.pay(order["pix"]["code"])

    assert (seen[0], seen[-1]) == ("PENDING_PAYMENT", "RECEIVED")


async def _subjects(session: aiohttp.ClientSession, system: System) -> dict[str, int]:
    async with session.get(f"{system.urls['ministack']}/_ministack/ses/messages") as answer:
        accounts = (await answer.json())["messages"].values()
    subjects = [str(mail["Subject"]) for mails in accounts for mail in mails]
    return {subject: subjects.count(subject) for subject in subjects}
