"""The command changes a running laptop: staff, hours, stock, payments; and each act is told."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import aiohttp
import boto3
import pytest

from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.robot.latecomers import Latecomers
from local.supervisor import System
from tests.console_command import Said, comanda
from tests.console_letters import event_body

pytestmark = pytest.mark.timeout(180)
SHOP = "cantina-do-beto"


def ask(system: System, *words: str) -> Said:
    return comanda(*words, "--shop", SHOP, places=system.folder / "places.json")


def test_staff_are_invited_moved_and_shut_out_and_the_log_tells_who_did_it(system: System) -> None:
    who = f"bia-{uuid4().hex[:6]}"

    made = ask(
        system, "staff", "invite", who, "bia@example.com", "--group", "kitchen", "--why", "hired"
    )
    moved = ask(system, "staff", "groups", who, "--group", "manager", "--why", "promoted", "--json")
    out = ask(system, "staff", "disable", who, "--why", "left us")
    acts = ask(system, "audit", "log", "--what", "staff", "--json").json
    wrong = ask(system, "staff", "disable", "nobody-of-ours", "--why", "x")

    mine = [it for it in acts if it["whom"] == who]
    assert (made.code, moved.json["groups"], "no more" in out.out) == (0, ["manager"], True)
    assert [it["why"] for it in mine] == ["left us", "promoted", "hired"]
    assert (mine[0]["before"], mine[0]["after"]) != ({}, {})
    assert wrong.code == 3


def test_a_shop_closes_opens_and_gets_hours(system: System) -> None:
    closed = ask(system, "shop", "close")
    hours = ask(system, "shop", "hours", "fri 18:00-02:00", "--json").json
    opened = ask(system, "shop", "open", "--json").json
    read = ask(system, "shop", "hours", "--json").json
    wrong = ask(system, "shop", "hours", "someday 9-5")

    assert (closed.code, "closed" in closed.out, opened["switch"]) == (0, True, "OPEN")
    assert hours["switch"] == "CLOSED"
    assert [(it["weekday"], it["opens"]) for it in read["hours"]] == [(4, "18:00")]
    assert (wrong.code, "no stretch of the week" in wrong.err) == (3, True)


def test_stock_comes_in_once_by_its_key_and_is_put_right(system: System) -> None:
    level = ask(system, "stock", "list", "--json").json[0]
    product, key = level["product_id"], uuid4().hex

    first = ask(system, "stock", "receive", product, "48", "--key", key, "--json").json
    again = ask(system, "stock", "receive", product, "48", "--key", key, "--json").json
    fewer = ask(system, "stock", "correct", product, "--by=-2", "--why", "broke", "--json").json

    assert (first["left"], first["is_new"]) == (level["left"] + 48, True)
    assert (again["left"], again["is_new"]) == (first["left"], False)
    assert fewer["left"] == first["left"] - 2


async def test_a_lost_webhook_is_repaired_by_hand_and_told(system: System) -> None:
    """The sweep would find it too, in a minute; the command does at once."""
    doors = doors_of(system)
    async with aiohttp.ClientSession() as session:
        shopper = Shopper(session, doors)
        token = await shopper.guest_token(SHOP)
        menu = await shopper.menu(SHOP)
        lines = [{"product_id": menu[0]["id"], "quantity": 1}]
        order = await shopper.order(SHOP, lines, token=token, key=str(uuid4()))
        order = await shopper.order_until(order, token=token, has="pix")
        fault = {"kind": "webhook_never", "shop": SHOP, "count": 1}
        async with session.post(f"{doors.bank}/__sim/faults", json=fault) as made:
            assert made.status == 201
        await shopper.pay(order["pix"]["code"])
        said = await asyncio.to_thread(
            ask, system, "reconcile", "--order", order["id"], "--why", "a test", "--json"
        )
        await shopper.order_until(order, token=token, has="paid_at")
    (act,) = ask(system, "audit", "log", "--what", "payments.checked", "--json").json

    assert [outcome for _, _, outcome in said.json["read_again"]] == ["asked for"]
    assert (act["why"], act["is_done"]) == ("a test", True)


def test_what_is_done_to_letters_stands_in_the_audit_of_the_shop(system: System) -> None:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "sa-east-1"}
    sqs = boto3.client("sqs", endpoint_url=system.urls["bus"], **keys)
    url = sqs.get_queue_url(QueueName="comanda-laptop-catalog-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=event_body(1, shop=SHOP))

    gone = ask(system, "dlq", "discard", "catalog", "--why", "a test", "--confirm", "catalog")
    (act,) = ask(system, "audit", "log", "--what", "dead-letters", "--json").json
    inbox = ask(system, "webhooks", "list")

    assert gone.code == 0, gone.err
    assert (act["what"], act["whom"], act["why"]) == ("dead-letters.discarded", "catalog", "a test")
    assert (act["after"]["letters"], act["is_done"]) == (1, True)
    assert inbox.code == 0, inbox.err


async def test_whoever_pays_too_late_gets_the_money_back_and_todays_rules_agree(
    system: System,
) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    doors = doors_of(system)
    async with aiohttp.ClientSession() as session:
        shopper = Shopper(session, doors)
        token = await shopper.guest_token(SHOP)
        menu = await shopper.menu(SHOP)
        lines = [{"product_id": menu[0]["id"], "quantity": 1}]
        order = await shopper.order(SHOP, lines, token=token, key=str(uuid4()))
        order = await shopper.order_until(order, token=token, has="pix")
        await Latecomers(session, shopper, bank=doors.bank).pay_too_late(order)
        charges = f"/apis/payments/{SHOP}/charges?order_id={order['id']}"
        async with asyncio.timeout(60):
            while (await shopper.as_staff(SHOP, charges))["charges"][0]["status"] != "REFUNDED":
                await asyncio.sleep(0.2)
        window = ("--since", began.isoformat(), "--until", datetime.now(UTC).isoformat())
        # The archive is a second or two behind.
        async with asyncio.timeout(20):
            while True:
                dry = await asyncio.to_thread(
                    ask, system, "replay", "dry", "orders", *window, "--json"
                )
                if dry.code == 0 and dry.json["judged"] >= 3:
                    break

    assert dry.json["differences"] == []
