"""The consumer and then the broker go away: orders are accepted, and none is lost or doubled."""

import io

import aiohttp
import pytest
from rich.console import Console

from local.demo.outage import ORDERS, walk_through_outages
from local.supervisor import System


@pytest.mark.timeout(240)
async def test_orders_of_an_outage_wait_and_get_their_codes_once(system: System) -> None:
    told = io.StringIO()

    async with aiohttp.ClientSession() as session:
        books = await walk_through_outages(
            system, session=session, console=Console(file=told, width=400)
        )

    story = told.getvalue()
    assert books.is_balanced
    assert books.orders_paid >= 2 * ORDERS
    assert story.count(f"{ORDERS} accepted, none with a code") == 2
    assert story.count(f"{ORDERS} codes appeared") == 2
