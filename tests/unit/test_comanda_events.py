"""Events: typed, frozen, named by one grammar."""

import re
from dataclasses import FrozenInstanceError, fields

import pytest

from comanda.events import TYPES, Event, OrderPaid
from comanda.ids import OrderId, ShopId

WIRE_TYPE = re.compile(r"[a-z]+\.[a-z]+\.[a-z]+\.v[1-9][0-9]*")
ALL = sorted(TYPES.items())
PAID = OrderPaid(shop_id=ShopId("lanchonete-da-ana"), order_id=OrderId("o"))


@pytest.mark.parametrize(("wire_type", "event_class"), ALL)
def test_every_type_is_context_noun_past_version(wire_type: str, event_class: type[Event]) -> None:
    assert WIRE_TYPE.fullmatch(wire_type)
    assert event_class.wire_type == wire_type


@pytest.mark.parametrize("event_class", [event_class for _, event_class in ALL])
def test_every_event_is_explained_and_names_its_subject(event_class: type[Event]) -> None:
    assert event_class.__doc__
    assert event_class.__doc__.endswith(".")
    assert not event_class.__doc__.startswith(event_class.__name__ + "(")
    assert event_class.subject_field in {field.name for field in fields(event_class)}


def test_the_registry_holds_the_classes_that_are_built() -> None:
    assert TYPES["orders.order.paid.v1"] is OrderPaid
    assert not hasattr(PAID, "__dict__")


def test_an_event_knows_its_sender_and_its_subject() -> None:
    assert (PAID.source, PAID.subject) == ("orders", "o")


def test_a_fact_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        PAID.order_id = OrderId("another")  # type: ignore[misc]


def test_a_fact_is_told_by_names_alone() -> None:
    with pytest.raises(TypeError):
        OrderPaid(ShopId("lanchonete-da-ana"), OrderId("o"))  # type: ignore[call-arg, misc]
