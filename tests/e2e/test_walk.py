"""What `make run` shows: a guest's order and a customer's, who signs up and in by mail."""

import io

import aiohttp
from rich.console import Console

from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.demo.people import Mailbox
from local.demo.walk import walk_all
from local.supervisor import System


async def test_the_walk_tells_of_a_guest_and_of_a_customer_who_signed_in(system: System) -> None:
    doors, told = doors_of(system), io.StringIO()

    async with aiohttp.ClientSession() as session:
        guests, customers = await walk_all(
            Shopper(session, doors),
            shop=doors.shops[0],
            mailbox=Mailbox(session, aws_url=system.urls["ministack"]),
            console=Console(file=told, width=400),
        )

    assert guests["status"] == customers["status"] == "COMPLETED"
    assert guests["id"] != customers["id"]
    story = told.getvalue()
    assert all(order["id"] in story for order in (guests, customers))
    assert story.count("the webhook arrived and was checked") == 2
    assert "one-time code" in story
    assert f"{doors.bank}/bank?code=" in story
