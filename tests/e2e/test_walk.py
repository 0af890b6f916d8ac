"""What `make run` shows: a guest's order and a customer's, who signs up and in by mail."""

import asyncio
import io
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from rich.console import Console

from k8s.smoke import Doors as PublicDoors
from k8s.smoke import walk as look_from_outside
from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.demo.people import Mailbox, invent_person
from local.demo.walk import walk_all
from local.supervisor import System
from tests.every_store import kept_by


@pytest.fixture(scope="module")
def has_traces() -> bool:
    return True


@pytest.fixture(scope="module")
def is_guarded() -> bool:
    return True


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
    # The Lambda has no SDK: whoever heard of the customer told of its part.
    assert '"customers-lambda"' in (system.folder / "traces" / "spans.jsonl").read_text()


async def test_an_erased_customer_is_in_no_store_no_queue_and_no_log(system: System) -> None:
    doors, person, moved_to = doors_of(system), invent_person(), invent_person().email
    shop, name = doors.shops[0], f"Zuleica{secrets.token_hex(5)}"
    async with aiohttp.ClientSession() as session:
        shopper = Shopper(session, doors)
        mailbox = Mailbox(session, aws_url=system.urls["ministack"])
        waiting = await shopper.sign_up(shop, {**person.sign_up, "name": name})
        code = await mailbox.code_for(person.email)
        token = await shopper.customer_token(shop, session=waiting, code=code)
        me, bearer = f"{doors.edge}/apis/auth/{shop}/me", {"Authorization": f"Bearer {token}"}
        async with session.get(me, headers=bearer) as shown:
            customer = (await shown.json())["id"]
        # One order is paid, the other one is not; the guest's visit gives the same CPF.
        paid, unpaid = [
            await _order(shopper, shop, token=token, key=key, name=name) for key in ("one", "two")
        ]
        await shopper.pay(paid["pix"]["code"])
        guest = {"kiosk": "totem-1", "cpf": person.cpf}
        await session.post(f"{doors.edge}/apis/auth/{shop}/guests", json=guest)
        async with session.post(f"{me}/email", json={"email": moved_to}, headers=bearer) as asked:
            proof = {"session": (await asked.json())["session"]}
        proof["code"] = await mailbox.code_for(moved_to)
        async with session.put(f"{me}/email", json=proof, headers=bearer) as changed:
            assert changed.status == 200
        traces = Traces(
            system=system,
            words=(person.email, moved_to, person.cpf, name),
            customer=customer,
            orders=(paid["id"], unpaid["id"]),
        )
        # The archive is a second behind; what comes after an erasure is another story.
        known = await traces.settled(lambda places: {"s3", "comanda-laptop-archive"} <= places)

        async with session.delete(me, headers=bearer) as erased:
            protocol = (await erased.json())["protocol"]

        left = await traces.settled(lambda places: not places)

    assert known >= {
        "cognito",
        "comanda-laptop-archive",
        "comanda-laptop-orders",
        "payments.payers",
        "s3",
    }
    assert len(protocol) == 36
    assert left == set()


async def _order(shopper: Shopper, shop: str, **words: str) -> dict[str, Any]:
    plain = next(it for it in await shopper.menu(shop) if not it["option_groups"])
    line = {"product_id": plain["id"], "quantity": 1, "notes": f"para {words['name']}"}
    return await shopper.order(shop, [line], **words)


@dataclass(frozen=True, kw_only=True)
class Traces:
    """What tells of a person: their words, or their id beside one of their orders'."""

    system: System
    words: tuple[str, ...]
    customer: str
    orders: tuple[str, ...]

    async def settled(self, enough: Callable[[set[str]], bool]) -> set[str]:
        """Look until it is enough, or for half a minute; give the kinds of places."""
        until = time.monotonic() + 30
        while True:
            found = await asyncio.to_thread(lambda: set(self._places()))
            if enough(found) or time.monotonic() > until:
                return found
            await asyncio.sleep(0.3)

    def _places(self) -> Iterator[str]:
        for place, text in kept_by(self.system):
            whole = f"{place} {text}"
            is_named = any(word in whole for word in self.words)
            is_linked = self.customer in whole and any(order in whole for order in self.orders)
            # The answer to an idempotency key keeps both for a day: `docs/limits.md` admits it.
            if (is_named or is_linked) and not place.endswith(" KEY"):
                yield place.partition(" ")[0]


async def test_the_look_from_outside_finds_a_laptop_sound(system: System) -> None:
    edge = system.urls["edge"]
    doors = PublicDoors(pods=edge, auth=edge, webhooks=edge)

    seen = await asyncio.to_thread(
        lambda: list(look_from_outside(doors, shop=doors_of(system).shops[0]))
    )

    assert [it for it in seen if it.fault] == []
    assert len(seen) == 10
