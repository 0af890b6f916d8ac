"""What any released version has sent is still read: a queue keeps messages for days."""

import json
from pathlib import Path
from typing import Any

import pytest

from comanda.envelope import Envelope
from comanda.events import TYPES
from tests.corpus.record import CORPUS

RECORDINGS = sorted((CORPUS / "events").glob("*.jsonl"))


def lines_of(recording: Path) -> list[str]:
    # A text may hold other ends of lines than ours.
    return recording.read_text(encoding="utf-8").rstrip("\n").split("\n")


def is_kept(recorded: Any, now: Any) -> bool:
    """Tell whether all that was recorded is still there; what is new since may stand beside it."""
    if isinstance(recorded, dict):
        return isinstance(now, dict) and all(
            name in now and is_kept(value, now[name]) for name, value in recorded.items()
        )
    if isinstance(recorded, list):
        return len(recorded) == len(now) and all(map(is_kept, recorded, now))
    return type(recorded) is type(now) and bool(recorded == now)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_every_event_of_a_released_version_is_read_and_loses_nothing(recording: Path) -> None:
    lines = lines_of(recording)

    for line in lines:
        body = json.loads(line)
        envelope = Envelope.from_json(line)

        assert envelope.event.wire_type == body["type"]
        assert is_kept(body["data"], json.loads(envelope.to_json())["data"]), line

    assert len(lines) >= 50


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_an_event_of_a_later_version_is_read_without_what_is_new_in_it(recording: Path) -> None:
    for line in lines_of(recording):
        body = json.loads(line)
        later = {**body, "trust": "new", "data": {**body["data"], "invented_later": {"a": [1]}}}

        assert Envelope.from_json(json.dumps(later)).event == Envelope.from_json(line).event


def test_every_event_of_today_is_in_a_recording() -> None:
    recorded = {json.loads(line)["type"] for path in RECORDINGS for line in lines_of(path)}

    # A new event, or a new field in one: `python -m tests.corpus.record NAME` at the release.
    assert set(TYPES) <= recorded
