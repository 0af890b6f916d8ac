"""The command over a running laptop: an order's story, a queue's health, a letter sent again."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import boto3
import pytest
from rich.console import Console

from comanda.ids import OrderId, ShopId
from console.places import find_places
from console.tokens import TokenFiles
from console.traces import KeptSpan, read_spans, spans_of
from local.demo.client import Shopper
from local.demo.doors import doors_of
from local.demo.walk import walk
from local.supervisor import System
from tests.console_command import Said, comanda
from tests.console_letters import event_body
from workers.catalog.seed import product_id
from workers.orders.items import order_key

SHOP = "lanchonete-da-ana"
KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "sa-east-1"}

WALK = {
    "POST /orders",
    "POST /v1/orders",
    "GET /v1/orders/{id}",
    "COMMIT",
    "TransactWriteItems",
    "POST /orders/{order_id}/start",
    "POST /orders/{order_id}/complete",
}


def ask(system: System, *words: str) -> Said:
    shop = () if words[0] in ("dlq", "doctor", "audit") else ("--shop", SHOP)
    return comanda(*words, *shop, places=system.folder / "places.json")


@pytest.fixture(scope="module")
def has_traces() -> bool:
    return True


@pytest.fixture
async def order_id(system: System) -> str:
    # A walk takes one of what is scarce, and more walks are taken here than there are slices.
    slices = product_id(ShopId(SHOP), "torta-da-casa")
    assert ask(system, "stock", "receive", slices, "1").code == 0
    doors = doors_of(system)
    async with aiohttp.ClientSession() as session:
        order = await walk(Shopper(session, doors), shop=ShopId(SHOP), console=Console(quiet=True))
    return str(order["id"])


def test_an_orders_story_is_told_from_placed_to_completed(system: System, order_id: str) -> None:
    listed = ask(system, "order", "list", "--json").json
    order = next(it for it in listed if it["id"] == order_id)
    shown = ask(system, "order", "show", str(order["call_number"]))
    journey = ask(system, "journey", order_id, "--json").json
    told = ask(system, "journey", order_id)
    notices = ask(system, "webhooks", "list", order_id, "--json").json

    kinds = [step["event"]["type"] for step in journey["steps"]]
    assert (shown.code, order_id in shown.out) == (0, True)
    assert kinds[0] == "orders.order.placed.v1"
    assert "payments.payment.approved.v1" in kinds
    assert "order: PENDING_PAYMENT → RECEIVED" in told.out
    assert {it["topic"] for it in notices} <= {"order", "payment"}


def test_a_day_is_closed_to_the_cent_and_written_as_a_sheet(
    system: System, order_id: str, tmp_path: Path
) -> None:
    sheet = tmp_path / "day.csv"

    closed = ask(system, "closing", "--csv", str(sheet), "--json")
    told = ask(system, "closing")
    never = ask(system, "closing", "--day", "2020-01-01", "--json").json

    assert closed.code == told.code == 0, closed.err
    assert closed.json["differences"] == []
    assert closed.json["kept_by_orders"] == closed.json["kept_by_ledger"] != "0.00"
    assert "COMPLETED" in told.out
    assert "Resumo;Vendas pagas;" in sheet.read_text(encoding="utf-8-sig")
    assert (never["orders"], never["sold"]) == ([], "0.00")
    assert order_id not in told.out


def test_a_window_is_sent_again_when_its_count_is_typed_and_changes_nothing(
    system: System, order_id: str
) -> None:
    now = datetime.now(UTC)
    window = ("--since", (now - timedelta(minutes=30)).isoformat(), "--until", now.isoformat())
    words = ("replay", "start", "catalog", *window, "--about", order_id)
    before = ask(system, "order", "show", order_id, "--json").json["version"]

    preview = ask(system, *words, "--json").json
    unsure = ask(system, *words)
    started = ask(system, *words, "--confirm", str(preview["count"]), "--json").json
    for _ in range(100):
        replay = next(
            it for it in ask(system, "replay", "list", "--json").json if it["id"] == started["id"]
        )
        if replay["state"] == "DONE":
            break

    assert preview["by_type"]["orders.order.placed.v1"] == 1
    assert (unsure.code, f"--confirm {preview['count']} is needed" in unsure.err) == (3, True)
    assert (replay["state"], replay["sent"]) == ("DONE", preview["count"])
    assert ask(system, "order", "show", order_id, "--json").json["version"] == before


def test_the_menu_that_was_exported_is_the_menu(system: System, tmp_path: Path) -> None:
    sheet = tmp_path / "menu.csv"
    exported = ask(system, "menu", "export", str(sheet))
    same = ask(system, "menu", "import", str(sheet), "--json")
    sheet.write_text(sheet.read_text().replace("MEAL", "WHALE"))
    wrong = ask(system, "menu", "import", str(sheet))

    assert (exported.code, same.code, wrong.code) == (0, 0, 1)
    assert (same.json["added"], same.json["changed"], same.json["faults"]) == (0, 0, [])
    assert "Faults" in wrong.out


def test_who_works_here_and_what_is_open_are_told(system: System) -> None:
    staff = ask(system, "staff", "list", "--json").json
    report = ask(system, "reconcile", "--json")
    stranger = comanda("staff", "list", "--shop", "nobody", places=system.folder / "places.json")

    assert {"kitchen", "owner"} <= {group for it in staff for group in it["groups"]}
    assert (report.code, report.json["open"]) == (0, 0)
    assert (stranger.code, "no login for shop 'nobody'" in stranger.err) == (3, True)


def test_the_doctor_finds_a_dead_letter_and_is_content_when_it_went_back(system: System) -> None:
    sqs = boto3.client("sqs", endpoint_url=system.urls["bus"], **KEYS)
    url = sqs.get_queue_url(QueueName="comanda-laptop-catalog-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=event_body(1, shop=SHOP))

    ill = ask(system, "doctor")
    gone = ask(system, "dlq", "discard", "catalog", "--why", "a test", "--confirm", "catalog")
    well = ask(system, "doctor", "--json")

    assert (ill.code, "comanda dlq list catalog" in ill.out) == (1, True)
    assert gone.code == 0, gone.out + gone.err
    assert well.code == 0, well.out
    assert {"door of archive", "queue of orders"} <= {it["what"] for it in well.json}


def test_a_kept_token_that_is_refused_is_replaced(system: System) -> None:
    file = system.folder / "places.json"
    places = find_places(file)
    kept = TokenFiles(system.folder / "comanda")
    kept.put("not.a.token", places.edge, places.logins[SHOP].username)

    said = comanda("reconcile", "--shop", SHOP, places=file)

    assert said.code == 0, said.err
    assert kept.get(places.edge, places.logins[SHOP].username) not in (None, "not.a.token")


def test_a_charge_whose_order_a_restore_took_back_is_given_up_when_its_count_is_typed(
    system: System, order_id: str
) -> None:
    table = boto3.client("dynamodb", endpoint_url=system.urls["ministack"], **KEYS)
    key = {n: {"S": v} for n, v in order_key(ShopId(SHOP), OrderId(order_id)).items()}
    table.delete_item(TableName="comanda-laptop-orders", Key=key)

    listed = ask(system, "disown", "--json")
    unsure = ask(system, "disown", "--confirm", "7", "--why", "a test")
    done = ask(system, "disown", "--confirm", "1", "--why", "restored", "--json")
    for _ in range(50):
        left = ask(system, "disown", "--json")
        if left.code == 0:
            break

    assert (listed.code, listed.json) == (1, [order_id])
    assert (unsure.code, "--confirm 1 and --why are needed" in unsure.err) == (3, True)
    assert (done.code, done.json) == (0, [order_id])
    # Payments has paid the customer back: the charge owes nobody anything.
    assert (left.code, left.json) == (0, [])


def test_one_paid_order_is_one_connected_graph_of_spans_over_all_processes(
    system: System, order_id: str
) -> None:
    for _ in range(100):
        kept = read_spans(system.folder / "traces" / "spans.jsonl")
        spans = spans_of(order_id, kept)
        orphans = [it for span in spans for it in span.leads_to if it not in kept]
        if "orders.order.completed.v1" in heard_by("archive-worker", spans) and not orphans:
            break
        time.sleep(0.1)
    told = ask(system, "trace", order_id)

    assert orphans == []
    about = [it for it in kept.values() if it.attributes.get("comanda.order.id") == order_id]
    assert [it for it in about if it not in spans] == []
    assert {it.service for it in spans} == {
        "orders",
        "orders-worker",
        "catalog-worker",
        "payments-worker",
        "archive-worker",
        "webhooks-lambda",
    }
    assert {it.name for it in spans} >= WALK
    assert "webhooks.notification.received.v1" in heard_by("payments-worker", spans)
    assert "payments.payment.approved.v1" in heard_by("orders-worker", spans)
    # A message is linked with its event and has no parent: it may be one of a batch.
    messages = [it for it in spans if it.kind == "CONSUMER"]
    assert {(it.parent, len(it.links)) for it in messages} == {(None, 1)}
    assert (told.code, "↳ process payments" in told.out) == (0, True), told.out + told.err


def heard_by(service: str, spans: list[KeptSpan]) -> set[str]:
    mine = [it for it in spans if (it.service, it.kind) == (service, "CONSUMER")]
    return {str(it.attributes["cloudevents.event_type"]) for it in mine}
