"""The schemas: one per event, and both sides of the wire keep to them."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from comanda.envelope import Envelope, InvalidEnvelope, seal
from comanda.events import TYPES, Event, OrderPaid
from comanda.ids import OrderId, ShopId
from comanda.schemas import main, rendered, schema_of, stale_files, write
from tests.event_strategies import envelopes, envelopes_of

JUNK: list[Any] = [None, True, -1, 1.5, "", "x", "\u0000", [], [None], {}, {"x": 1}]


@cache
def validator(wire_type: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(TYPES[wire_type]))


def is_valid(body: dict[str, Any], wire_type: str) -> bool:
    return bool(validator(wire_type).is_valid(body))


def is_read(body: dict[str, Any]) -> bool:
    try:
        Envelope.from_json(json.dumps(body))
    except InvalidEnvelope:
        return False
    return True


def places_in(value: Any) -> list[tuple[Any, Any]]:
    """List every (container, key) below a JSON value."""
    keys = value if isinstance(value, dict) else range(len(value))
    found: list[tuple[Any, Any]] = []
    for key in keys:
        found.append((value, key))
        if isinstance(value[key], dict | list):
            found += places_in(value[key])
    return found


@pytest.mark.parametrize("wire_type", sorted(TYPES))
def test_every_schema_is_itself_valid(wire_type: str) -> None:
    schema = schema_of(TYPES[wire_type])

    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["type"] == {"const": wire_type}


@pytest.mark.parametrize("event_class", sorted(TYPES.values(), key=lambda kind: kind.wire_type))
def test_what_a_producer_writes_keeps_to_the_schema(event_class: type[Event]) -> None:
    @settings(max_examples=15, deadline=None)
    @given(envelopes_of(event_class))
    def keeps_to_the_schema(envelope: Envelope) -> None:
        validator(event_class.wire_type).validate(json.loads(envelope.to_json()))

    keeps_to_the_schema()


@settings(max_examples=150, deadline=None)
@given(envelopes, st.data())
def test_a_consumer_reads_all_that_the_schema_allows(
    envelope: Envelope, data: st.DataObject
) -> None:
    body = json.loads(envelope.to_json())
    container, key = data.draw(st.sampled_from(places_in(body)))
    container[key] = data.draw(st.sampled_from(JUNK))

    if is_valid(body, envelope.event.wire_type):
        assert is_read(body)


@settings(max_examples=80, deadline=None)
@given(envelopes, st.data())
def test_neither_side_takes_data_without_a_needed_field(
    envelope: Envelope, data: st.DataObject
) -> None:
    body = json.loads(envelope.to_json())
    needed = schema_of(type(envelope.event))["properties"]["data"]["required"]
    del body["data"][data.draw(st.sampled_from(needed))]

    assert not is_valid(body, envelope.event.wire_type)
    assert not is_read(body)


@settings(max_examples=60, deadline=None)
@given(envelopes)
def test_unknown_fields_are_allowed_everywhere(envelope: Envelope) -> None:
    body = json.loads(envelope.to_json())
    objects = [body, *(c[k] for c, k in places_in(body) if isinstance(c[k], dict))]
    for each in objects:
        each["from_the_future"] = {"x": 1}

    validator(envelope.event.wire_type).validate(body)
    assert Envelope.from_json(json.dumps(body)) == envelope


def test_the_type_of_another_event_is_refused() -> None:
    paid = OrderPaid(shop_id=ShopId("lanchonete-da-ana"), order_id=OrderId("o"))
    body = json.loads(seal(paid, now=datetime(2026, 1, 1, tzinfo=UTC)).to_json())

    assert is_valid(body, "orders.order.paid.v1")
    assert not is_valid(body, "orders.order.ready.v1")


def test_files_that_were_written_are_not_stale(tmp_path: Path) -> None:
    assert set(stale_files(tmp_path)) == set(rendered(tmp_path))

    write(tmp_path)

    assert stale_files(tmp_path) == []
    assert len(list((tmp_path / "schemas").iterdir())) == len(TYPES)


def test_check_names_what_is_stale_and_write_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    (tmp_path / "events.md").write_text("old")
    (tmp_path / "schemas" / "gone.thing.happened.v1.json").write_text("{}")

    before = main(["--check", "--docs", str(tmp_path)])
    told = capsys.readouterr().err
    mended = main(["--docs", str(tmp_path)])
    after = main(["--check", "--docs", str(tmp_path)])

    assert (before, mended, after) == (1, 0, 0)
    assert "stale: events.md" in told
    assert "stale: schemas/gone.thing.happened.v1.json" in told
