"""The envelope: what goes in comes out, and what is wrong is named."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comanda.codec import decode, encode
from comanda.envelope import Envelope, InvalidEnvelope, UnknownEventType, seal
from comanda.events import (
    TYPES,
    ChargeCreated,
    Line,
    NotificationReceived,
    OrderPaid,
    OrderPlaced,
    RawRequest,
)
from comanda.ids import ChargeId, OrderId, ProductId, ShopId, is_id
from comanda.money import Money
from tests.event_strategies import envelopes

NOW = datetime(2026, 3, 4, 12, 0, 0, 5, tzinfo=UTC)
SHOP = ShopId("lanchonete-da-ana")
PLACED = OrderPlaced(
    shop_id=SHOP,
    order_id=OrderId("order-1"),
    customer_id=None,
    lines=(Line(product_id=ProductId("p"), name="Pão", quantity=2, unit_price=Money(150)),),
    total=Money(300),
)


def body_of(envelope: Envelope) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(envelope.to_json())
    return body


def read(body: object) -> Envelope:
    return Envelope.from_json(json.dumps(body))


@settings(max_examples=100, deadline=None)
@given(envelopes)
def test_what_is_written_is_read_back_whole(envelope: Envelope) -> None:
    assert Envelope.from_json(envelope.to_json()) == envelope
    assert decode(type(envelope.event), encode(envelope.event)) == envelope.event


def test_the_wire_is_cloudevents_json() -> None:
    body = body_of(seal(PLACED, now=NOW))

    assert is_id(body.pop("id"))
    assert is_id(body.pop("correlationid"))
    assert body == {
        "specversion": "1.0",
        "source": "comanda/orders",
        "type": "orders.order.placed.v1",
        "subject": "order-1",
        "time": "2026-03-04T12:00:00.000005Z",
        "datacontenttype": "application/json",
        "shopid": "lanchonete-da-ana",
        "data": {
            "shop_id": "lanchonete-da-ana",
            "order_id": "order-1",
            "customer_id": None,
            "lines": [
                {
                    "product_id": "p",
                    "name": "Pão",
                    "quantity": 2,
                    "unit_price": "1.50",
                    "options": [],
                    "notes": "",
                }
            ],
            "total": "3.00",
        },
    }


def test_subscriptions_filter_on_type_and_source() -> None:
    attributes = seal(PLACED, now=NOW).attributes

    assert attributes == {"type": "orders.order.placed.v1", "source": "orders"}


def test_a_conversation_is_carried_from_cause_to_effect() -> None:
    first = replace(seal(PLACED, now=NOW), traceparent="00-abc-def-01")
    second = seal(OrderPaid(shop_id=SHOP, order_id=PLACED.order_id), now=NOW, cause=first)

    assert first.correlation_id == first.id
    assert second.correlation_id == first.id
    assert second.causation_id == first.id
    assert second.traceparent == first.traceparent
    assert second.id != first.id


@settings(max_examples=60, deadline=None)
@given(envelopes, st.dictionaries(st.text("xyz", min_size=4), st.integers() | st.text()))
def test_unknown_fields_are_ignored(envelope: Envelope, unknown: dict[str, Any]) -> None:
    body = body_of(envelope)
    body["data"] = unknown | body["data"]

    assert read(unknown | body) == envelope


def test_unknown_fields_of_a_line_are_ignored() -> None:
    body = body_of(seal(PLACED, now=NOW))
    body["data"]["lines"][0]["colour"] = "brown"

    assert read(body).event == PLACED


def test_a_field_with_a_default_may_be_left_out() -> None:
    data = {"shop_id": SHOP, "order_id": "o", "reason": "out_of_stock"}

    assert decode(TYPES["catalog.stock.rejected.v1"], data).shortages == ()  # type: ignore[attr-defined]


def test_instants_of_other_zones_are_read_as_utc() -> None:
    body = body_of(seal(PLACED, now=NOW))
    body["time"] = "2026-03-04T09:00:00-03:00"

    assert read(body).time == datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert read(body).time.tzinfo is UTC


def test_instants_are_written_in_utc() -> None:
    here = NOW.astimezone(timezone(timedelta(hours=-3)))

    assert body_of(seal(PLACED, now=here))["time"] == "2026-03-04T12:00:00.000005Z"


def test_an_instant_without_a_zone_is_not_written() -> None:
    charge = ChargeCreated(
        shop_id=SHOP,
        order_id=OrderId("o"),
        charge_id=ChargeId("c"),
        amount=Money(1),
        pix_code="",
        expires_at=NOW.replace(tzinfo=None),
    )

    with pytest.raises(ValueError, match="time zone"):
        seal(charge, now=NOW).to_json()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "1", '"x"', "{}", '{"specversion": "0.3"}', "[" * 100_000]
)
def test_what_is_no_cloudevent_is_refused(text: str) -> None:
    with pytest.raises(InvalidEnvelope):
        Envelope.from_json(text)


@pytest.mark.parametrize("kind", ["orders.order.eaten.v1", "", None, 1, ["x"], {}, "x" * 10_000])
def test_a_type_that_is_none_of_ours_is_told_apart(kind: object) -> None:
    with pytest.raises(UnknownEventType) as raised:
        read(body_of(seal(PLACED, now=NOW)) | {"type": kind})

    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("name", ["id", "time", "shopid", "correlationid", "data"])
def test_an_envelope_without_a_needed_field_is_refused(name: str) -> None:
    body = body_of(seal(PLACED, now=NOW))
    del body[name]

    with pytest.raises(InvalidEnvelope):
        read(body)


@pytest.mark.parametrize("name", ["id", "correlationid", "causationid", "traceparent"])
@pytest.mark.parametrize("value", [1, True, "", {}, ["x"]])
def test_what_must_be_text_is_text(name: str, value: object) -> None:
    with pytest.raises(InvalidEnvelope, match=name):
        read(body_of(seal(PLACED, now=NOW)) | {name: value})


def test_an_envelope_and_its_data_name_the_same_shop() -> None:
    with pytest.raises(InvalidEnvelope, match="different shops"):
        read(body_of(seal(PLACED, now=NOW)) | {"shopid": "cantina-do-beto"})


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"order_id": None}, "OrderPlaced.order_id"),
        ({"order_id": 7}, "OrderPlaced.order_id"),
        ({"order_id": "\ud800"}, "OrderPlaced.order_id"),
        ({"customer_id": 7}, "OrderPlaced.customer_id"),
        ({"shop_id": "NOT A SHOP"}, "OrderPlaced.shop_id"),
        ({"total": 3.0}, "OrderPlaced.total"),
        ({"total": "3,00"}, "OrderPlaced.total"),
        ({"total": "-3.00"}, "OrderPlaced.total"),
        ({"lines": {}}, "OrderPlaced.lines"),
        ({"lines": [None]}, r"OrderPlaced.lines\[0\]"),
        ({"lines": [{}]}, r"OrderPlaced.lines\[0\].product_id: missing"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], where: str) -> None:
    body = body_of(seal(PLACED, now=NOW))
    body["data"] |= change

    with pytest.raises(InvalidEnvelope, match=where):
        read(body)


@pytest.mark.parametrize("quantity", [True, 2.0, "2", None])
def test_a_quantity_is_a_whole_number_and_nothing_like_it(quantity: object) -> None:
    body = body_of(seal(PLACED, now=NOW))
    body["data"]["lines"][0]["quantity"] = quantity

    with pytest.raises(InvalidEnvelope, match="int is needed"):
        read(body)


@pytest.mark.parametrize(
    "time",
    [
        "",
        "yesterday",
        "2026-03-04T12:00:00",
        "2026-13-01T00:00:00Z",
        5,
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_a_time_that_is_no_instant_is_refused(time: object) -> None:
    with pytest.raises(InvalidEnvelope, match="time"):
        read(body_of(seal(PLACED, now=NOW)) | {"time": time})


@pytest.mark.parametrize("pair", [["a"], ["a", "b", "c"], "ab", ["a", 1]])
def test_a_header_is_a_pair_of_texts(pair: object) -> None:
    request = RawRequest(method="POST", path="/", headers=(("a", "b"),), query=(), body="")
    event = NotificationReceived(
        shop_id=SHOP, topic="order", resource_id="r", received_at=NOW, request=request
    )
    body = body_of(seal(event, now=NOW))
    body["data"]["request"]["headers"] = [pair]

    with pytest.raises(InvalidEnvelope, match="headers"):
        read(body)
