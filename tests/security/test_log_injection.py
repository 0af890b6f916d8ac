"""What strangers type can neither forge a line of the log nor command a terminal that shows it."""

import io
import json
import logging

import pytest

from comanda.logs import JsonFormatter

HOSTILE = {
    "a new line": 'x\n{"level": "info", "event": "payment approved"}',
    "a carriage return": "x\rforged",
    "a terminal's title": "\x1b]0;owned\x07\x1b[2J",
    "an eight-bit control": "\x9b31m",
    "a line separator": "x\u2028forged\u2029forged\x85forged",
    "a turned direction": "\u202egnp.exe",
    "half a pair": "\ud800",
    "a NUL": "a\x00b",
}


def written(message: str, **keys: object) -> str:
    """Write a record as a process does: through a stream that encodes."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("orders-api"))
    record = logging.makeLogRecord({"msg": message, "levelno": logging.INFO, **keys})
    handler.handle(record)
    return raw.getvalue().decode()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_stays_in_its_place_of_one_line(text: str) -> None:
    line = written("request judged", topic=text)

    assert len(line.splitlines()) == 1
    assert line.rstrip("\n").isascii()
    assert line.rstrip("\n").isprintable()
    assert json.loads(line)["topic"] == text
    assert json.loads(line)["event"] == "request judged"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_exception_stays_in_one_line_too(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError as exc:
        line = written("it failed", exc_info=(ValueError, exc, exc.__traceback__))

    assert len(line.splitlines()) == 1
    assert line.rstrip("\n").isprintable()
