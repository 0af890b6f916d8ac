"""Rounds through a guarded laptop, for what no other end-to-end module makes its programs call.

Not a test of `make check`: `python -m local.iam` runs it for the record.
"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import aiohttp
import pytest

from comanda.clock import utc_now
from comanda.envelope import seal
from comanda.events import CustomerErased, Event, OrderCancelled
from comanda.ids import CustomerId, OrderId, ShopId
from console.door import Door, DoorRefused
from console.places import find_places
from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.demo.people import Mailbox, Person, invent_person
from local.iam.laptop import GUARD, policies
from local.iam.report import obey, seen_by
from local.queues import client_of, depth_of, queues_of
from local.supervisor import System
from terraform.policies import without
from tests.browsers import SHOP, Floor, chromium
from tests.console_letters import event_body
from tests.iam_bed import account_of, client_with, has_asked, places_of, told_by, until

pytestmark = pytest.mark.timeout(300)
CONTEXTS = ("orders", "payments", "catalog", "archive")


@pytest.fixture(scope="module")
def is_guarded() -> bool:
    return True


@pytest.fixture(scope="module")
def is_experiment() -> bool:
    return True


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_every_worker_buries_what_it_cannot_read_and_the_owner_sends_letters_back(
    system: System,
) -> None:
    sqs = client_of(system.environment, "sqs")
    for queue in queues_of(system.environment):
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="no envelope")
    for queue in queues_of(system.environment):
        await until(lambda queue=queue: depth_of(sqs, f"{queue}-dlq") == 1, what=queue)

    async with chromium() as browser:
        page = await Floor.of(system, browser).staff_page("owner", "equipe")
        for number, context in enumerate(CONTEXTS, start=1):
            url = sqs.get_queue_url(QueueName=f"comanda-laptop-{context}-dlq")["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=event_body(number, shop=SHOP))
            await page.goto(f"{system.urls['edge']}/loja/{SHOP}/ops")
            await page.get_by_role("link", name=f"dead letters of {context}").click()
            card = page.locator("article").first
            await card.get_by_label("Why").fill("mended")
            await card.get_by_label("confirm").fill(context)
            await card.get_by_role("button", name="Send back").click()
            await page.get_by_text("1 sent back.").wait_for()


async def test_workers_hold_on_to_what_their_stores_refuse(
    system: System, session: aiohttp.ClientSession
) -> None:
    await _misbehave(session, system, throttle=1.0)
    try:
        erased = CustomerErased(shop_id=ShopId(SHOP), customer_id=CustomerId(str(uuid4())))
        _send(system, erased, "orders", "archive")
        await _until_hidden(system, "orders-worker", "archive-worker")
    finally:
        await _misbehave(session, system)
    await system.halt("postgres")
    try:
        gone = OrderCancelled(
            shop_id=ShopId(SHOP), order_id=OrderId(str(uuid4())), reason="customer"
        )
        _send(system, gone, "payments", "catalog")
        await _until_hidden(system, "payments-worker", "catalog-worker")
    finally:
        await system.resume("postgres")


def _send(system: System, event: Event, *contexts: str) -> None:
    sqs = client_of(system.environment, "sqs")
    for context in contexts:
        url = sqs.get_queue_url(QueueName=f"comanda-laptop-{context}")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=seal(event, now=utc_now()).to_json())


async def _until_hidden(system: System, *workers: str) -> None:
    """A message that is long in hand is hidden anew after half of its thirty seconds."""
    action = "sqs:ChangeMessageVisibility"
    for worker in workers:
        await until(lambda worker=worker: has_asked(system, worker, action), what=worker)


async def _misbehave(session: aiohttp.ClientSession, system: System, **rates: float) -> None:
    url = f"{system.urls['ministack']}/_control/dynamodb"
    async with session.post(url, json=rates) as answer:
        assert answer.status == 200


async def test_a_suspicion_of_fraud_is_closed_by_the_owner(
    system: System, session: aiohttp.ClientSession
) -> None:
    shopper, places = Shopper(session, doors_of(system)), find_places(places_of(system))
    token, product = await shopper.guest_token(SHOP), (await shopper.menu(SHOP))[-1]
    lines = [{"product_id": product["id"], "quantity": 1}]
    order = await shopper.order(SHOP, lines, token=token, key=str(uuid4()))
    await shopper.pay(order["pix"]["code"])
    order = await shopper.order_until(order, token=token, has="paid_at")
    charges = f"/apis/payments/{SHOP}/charges?order_id={order['id']}"
    (charge,) = (await shopper.as_staff(SHOP, charges))["charges"]
    await shopper.tell_bank("fraud-alert", id=charge["id"])

    door, path = Door(places.edge, logins=places.logins), f"/apis/payments/{SHOP}/cases"
    await until(lambda: bool(door.read(SHOP, path)["cases"]), what="a case")
    (case,) = door.read(SHOP, path)["cases"]
    door.send(SHOP, f"{path}/{case['id']}/resolution", body={"reason": "it was her uncle"})
    await until(lambda: has_asked(system, "payments-api", "sns:Publish"), what="released")


async def test_a_window_is_sent_again_to_every_queue_and_once_not_at_all(system: System) -> None:
    now = datetime.now(UTC)
    window = ("--since", (now - timedelta(hours=1)).isoformat(), "--until", now.isoformat())
    door = Door(find_places(places_of(system)).edge, logins=find_places(places_of(system)).logins)
    for context in ("orders", "payments", "catalog", "catalog"):
        words = ("replay", "start", context, *window, "--json")
        count = told_by(system, *words)["count"]
        made = told_by(system, *words, "--confirm", str(count))
    # The last one may have ended by then, which is found out by the same call.
    with suppress(DoorRefused):
        path = f"/apis/archive/{SHOP}/replays/{made['id']}/cancellation"
        door.send(SHOP, path, body={})
    for queue in ("orders", "payments", "catalog"):
        resource = f"arn:aws:sqs:sa-east-1:000000000000:comanda-laptop-{queue}"
        await until(
            lambda resource=resource: any(
                (it.workload, it.resource) == ("archive-worker", resource)
                for it in seen_by(system).entries
            ),
            what=resource,
        )


def test_staff_come_back_and_orders_are_listed_by_their_status(system: System) -> None:
    cook = next(it.username for it in system.staff if "kitchen" in it.groups and it.shop == SHOP)
    for words in (
        ("staff", "disable", cook, "--why", "away"),
        ("staff", "enable", cook, "--why", "back"),
        ("order", "list", "--status", "COMPLETED"),
    ):
        told_by(system, *words, "--json")


async def test_a_code_that_cannot_be_mailed_is_withdrawn(
    system: System, session: aiohttp.ClientSession
) -> None:
    whole, shop = policies()["auth-deliver"], doors_of(system).shops[0]
    obey(system, {"auth-deliver": without(whole, "ses:SendEmail")})
    await Shopper(session, doors_of(system)).sign_up(shop, invent_person().sign_up)
    await until(lambda: has_asked(system, "auth-deliver", "dynamodb:DeleteItem"), what="withdrawn")
    obey(system, {"auth-deliver": whole})


async def test_what_broke_for_a_customer_is_finished_by_the_schedule(
    system: System, session: aiohttp.ClientSession
) -> None:
    whole, shop = policies()["auth-api"], doors_of(system).shops[0]
    moved = await _customer(system, session, shop)
    gone = await _customer(system, session, shop)

    obey(system, {"auth-api": without(whole, "cognito-idp:AdminUpdateUserAttributes")})
    assert await _change_email(system, session, moved) >= 500
    obey(system, {"auth-api": without(whole, "cognito-idp:AdminDeleteUser")})
    async with session.delete(gone[0], headers=gone[1]) as answer:
        assert answer.status >= 500
    obey(system, {"auth-api": whole})
    await _finish_until(system, "AdminDeleteUser")
    await _finish_until(system, "AdminUpdateUserAttributes")
    await _finish_until(system, "AdminUserGlobalSignOut")


async def _finish_until(system: System, operation: str) -> None:
    """Ring until the function has done it; its notes are of an hour ago, so that it is time."""
    dynamodb = account_of(system, "dynamodb")
    table, pk = "comanda-laptop-customers", {"S": "UNFINISHED"}
    notes = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": pk},
    )["Items"]
    for note in notes:
        dynamodb.update_item(
            TableName=table,
            Key={"pk": pk, "sk": note["sk"]},
            UpdateExpression="SET begun_at = :then",
            ExpressionAttributeValues={":then": {"N": str(int(time.time()) - 3600)}},
        )
    system.kill("auth-finish")
    action = f"cognito-idp:{operation}"
    await until(lambda: has_asked(system, "auth-finish", action), what=action)


async def _customer(
    system: System, session: aiohttp.ClientSession, shop: str
) -> tuple[str, dict[str, str], Person]:
    doors, person = doors_of(system), invent_person()
    shopper = Shopper(session, doors)
    waiting = await shopper.sign_up(shop, person.sign_up)
    code = await Mailbox(session, aws_url=system.urls["ministack"]).code_for(person.email)
    token = await shopper.customer_token(shop, session=waiting, code=code)
    return f"{doors.edge}/apis/auth/{shop}/me", {"Authorization": f"Bearer {token}"}, person


async def _change_email(
    system: System,
    session: aiohttp.ClientSession,
    who: tuple[str, dict[str, str], Person],
) -> int:
    me, bearer, _ = who
    to = invent_person().email
    async with session.post(f"{me}/email", json={"email": to}, headers=bearer) as asked:
        proof = {"session": (await asked.json())["session"]}
    proof["code"] = await Mailbox(session, aws_url=system.urls["ministack"]).code_for(to)
    async with session.put(f"{me}/email", json=proof, headers=bearer) as changed:
        return int(changed.status)


def test_the_controllers_of_a_cluster_do_what_they_are_there_for(system: System) -> None:
    """Neither runs on a laptop: these are their calls, after their own documentation."""
    known = json.loads((system.folder / "iam.json").read_text())["workloads"]
    keys = {workload: key for key, workload in known.items()}
    account_of(system, "secretsmanager").create_secret(
        Name="comanda/laptop/console/keys", SecretString="{}"
    )

    sqs = client_with(system, keys["keda-operator"], "sqs")
    for context in CONTEXTS:
        url = f"{system.urls[GUARD]}/000000000000/comanda-laptop-{context}"
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert "ApproximateNumberOfMessages" in told
    secret = client_with(system, keys["external-secrets"], "secretsmanager")
    read = secret.get_secret_value(SecretId="comanda/laptop/console/keys")
    forwarding = secret.get_secret_value(SecretId="comanda/laptop/console/forwarding-keys")
    assert read["SecretString"] == "{}"
    assert "keys" in json.loads(forwarding["SecretString"])
