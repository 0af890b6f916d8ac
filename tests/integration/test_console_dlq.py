"""The command as a process: dead letters on a real bus are found, mended, sent back, let go."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from comanda.envelope import Envelope
from tests.bus_server import BusServer, running_bus
from tests.console_command import Said, comanda
from tests.console_letters import STAGE, bury, dead_queues, event_body
from tests.redrive_letters import DeadQueue

WHY = ("--why", "a test")
SURE = ("--confirm", "orders", *WHY)


@pytest.fixture(scope="module")
def bus() -> Iterator[BusServer]:
    with running_bus() as bus:
        yield bus


@pytest.fixture
def queue(bus: BusServer) -> Iterator[DeadQueue]:
    queue = dead_queues(bus)["orders"]
    yield queue
    for url in (queue.url, queue.dlq_url):
        bus.client("sqs").purge_queue(QueueUrl=url)


@pytest.fixture
def places(bus: BusServer, tmp_path: Path) -> Path:
    file = tmp_path / "places.json"
    file.write_text(
        json.dumps({"edge": "http://127.0.0.1:1", "logins": {}, "stage": STAGE, "sqs": bus.url})
    )
    return file


def letters(places: Path, *words: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = comanda(
        "dlq", "list", "orders", *words, "--json", places=places
    ).json
    return found


def test_letters_are_counted_listed_by_reason_and_shown(queue: DeadQueue, places: Path) -> None:
    bury(queue, event_body(1), event_body(2), reason="no such order")
    bury(queue, "not json", reason="InvalidEnvelope: the body is not JSON")

    counts = comanda("dlq", "list", "--json", places=places).json
    listed = comanda("dlq", "list", "orders", places=places)
    one = letters(places, "--reason", "no such order")[0]
    shown = comanda("dlq", "show", "orders", one["id"], places=places)

    assert {"context": "orders", "dead": 3} in counts
    assert "2 × no such order" in listed.out
    assert "1 × InvalidEnvelope: the body is not JSON" in listed.out
    assert one["type"] == "orders.order.paid.v1"
    assert one["event_id"] in shown.out
    assert queue.left()["visible"] == 3


def test_without_the_queue_s_name_typed_nothing_is_done(queue: DeadQueue, places: Path) -> None:
    bury(queue, event_body(1))

    said = [comanda("dlq", verb, "orders", *WHY, places=places) for verb in ("redrive", "discard")]

    assert [it.code for it in said] == [3, 3]
    assert "--confirm orders is needed" in said[0].err
    assert queue.left()["visible"] == 1


def test_letters_of_one_reason_go_back_and_say_by_whom(queue: DeadQueue, places: Path) -> None:
    bury(queue, event_body(1), event_body(2), reason="mended")
    bury(queue, event_body(3), reason="not yet")

    said = comanda("dlq", "redrive", "orders", "--reason", "mended", *SURE, places=places)

    arrived = queue.arrived()
    assert (said.code, "2 sent back" in said.out) == (0, True)
    assert {it["Body"] for it in arrived} == {event_body(1), event_body(2)}
    assert all("redriven_by" in it["MessageAttributes"] for it in arrived)
    assert [it["reason"] for it in letters(places)] == ["not yet"]


def test_an_edited_letter_goes_back_as_it_should_have_been(
    queue: DeadQueue, places: Path, tmp_path: Path
) -> None:
    broken = json.loads(event_body(1))
    del broken["data"]["order_id"]
    bury(queue, json.dumps(broken), reason="InvalidEnvelope")
    (letter,) = letters(places)
    mended = tmp_path / "body.json"
    mended.write_text(event_body(1))

    said = comanda(
        "dlq", "redrive", "orders", letter["id"], "--body", str(mended), *SURE, places=places
    )

    (arrived,) = queue.arrived()
    assert letter["fault"]
    assert said.code == 0
    assert Envelope.from_json(arrived["Body"]).id == broken["id"]
    assert arrived["MessageAttributes"]["redriven_edited"]["StringValue"] == "true"


def test_an_edit_that_makes_another_shop_s_event_of_it_is_refused(
    queue: DeadQueue, places: Path, tmp_path: Path
) -> None:
    bury(queue, event_body(1))
    (letter,) = letters(places)
    body = tmp_path / "body.json"
    body.write_text(event_body(1, shop="lanchonete"))

    said = comanda(
        "dlq", "redrive", "orders", letter["id"], "--body", str(body), *SURE, places=places
    )

    assert said.code == 1
    assert "an edit cannot make it lanchonete" in said.out
    assert (queue.arrived(), len(letters(places))) == ([], 1)


def test_a_discarded_letter_is_gone_and_the_others_stay(queue: DeadQueue, places: Path) -> None:
    bury(queue, event_body(1), event_body(2))
    first = letters(places)[0]["id"]

    said = comanda("dlq", "discard", "orders", first, *SURE, places=places)
    missing = comanda("dlq", "discard", "orders", first, *SURE, places=places)

    assert (said.code, "1 discarded" in said.out) == (0, True)
    assert (missing.code, f"{first}: not found" in missing.out) == (1, True)
    assert first not in {it["id"] for it in letters(places)}
    assert queue.arrived() == []


def test_a_letter_with_as_many_attributes_as_there_may_be_can_be_let_go(
    queue: DeadQueue, places: Path
) -> None:
    bury(queue, event_body(1), **{f"a{n}": "x" for n in range(8)})

    said = comanda("dlq", "discard", "orders", *SURE, places=places)

    assert (said.code, letters(places)) == (0, [])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("dlq", "list", "nobody"), 3),
        (("order", "list"), 3),
        (("dlq", "list", "--places", "/nowhere.json"), 2),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_line_with_its_code(
    words: tuple[str, ...], code: int, places: Path
) -> None:
    said: Said = comanda(*words, places=None if "--places" in words else places)

    assert said.code == code
    assert said.err.startswith("comanda:")
    assert "Traceback" not in said.err


def test_a_bus_that_is_away_is_out_of_reach(tmp_path: Path) -> None:
    file = tmp_path / "places.json"
    content = {"edge": "http://127.0.0.1:1", "logins": {}, "stage": STAGE}
    file.write_text(json.dumps({**content, "sqs": "http://127.0.0.1:1"}))

    said = comanda("dlq", "list", places=file)

    assert (said.code, "out of reach" in said.err) == (2, True)
