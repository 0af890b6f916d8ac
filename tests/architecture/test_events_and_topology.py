"""Events, schemas, topology and handlers say the same."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from comanda.events import TYPES, Event
from comanda.schemas import stale_files
from comanda.settings import topology
from workers.runtime.consumer import ConsumerLimits

ROOT = Path(__file__).resolve().parents[2]
CONTEXTS: dict[str, dict[str, Any]] = topology()["contexts"]
LISTENERS = sorted(name for name, context in CONTEXTS.items() if "queue" in context)


def published() -> list[str]:
    return [wire_type for context in CONTEXTS.values() for wire_type in context["publishes"]]


def handled_by(context: str) -> frozenset[type[Event]]:
    handlers: Mapping[type[Event], object] = importlib.import_module(
        f"workers.{context}.handlers"
    ).HANDLERS
    return frozenset(handlers)


def test_every_published_type_has_a_dataclass_and_every_dataclass_a_publisher() -> None:
    assert sorted(published()) == sorted(TYPES)


@pytest.mark.parametrize("context", sorted(CONTEXTS))
def test_a_context_publishes_only_under_its_own_name(context: str) -> None:
    senders = {wire_type.split(".", 1)[0] for wire_type in CONTEXTS[context]["publishes"]}

    assert senders <= {context}


@pytest.mark.parametrize("context", LISTENERS)
def test_what_a_context_hears_somebody_says(context: str) -> None:
    subscribes = CONTEXTS[context]["subscribes"]

    assert set(subscribes) <= set(published())
    assert len(subscribes) == len(set(subscribes))


def test_only_a_context_with_a_queue_subscribes() -> None:
    subscribers = {name for name, context in CONTEXTS.items() if context.get("subscribes")}

    assert subscribers == set(LISTENERS)


@pytest.mark.parametrize("context", LISTENERS)
def test_every_queue_has_a_consumer(context: str) -> None:
    worker = importlib.import_module(f"workers.{context}.worker")

    assert callable(worker.build)


@pytest.mark.parametrize("context", LISTENERS)
def test_a_context_handles_exactly_what_it_subscribes_to(context: str) -> None:
    handled = {event_class.wire_type for event_class in handled_by(context)}

    assert handled == set(CONTEXTS[context]["subscribes"])


def test_every_event_has_a_schema_and_the_generated_files_are_up_to_date() -> None:
    stale = [str(path.relative_to(ROOT)) for path in stale_files(ROOT / "docs")]

    assert stale == [], "run `python -m comanda.schemas`"


@pytest.mark.parametrize("context", LISTENERS)
def test_a_consumer_speaks_before_the_queue_moves_a_message_in_silence(context: str) -> None:
    shape = {**topology()["queue_defaults"], **CONTEXTS[context]["queue"]}

    assert shape["max_receive_count"] == ConsumerLimits().most_retries
