"""Throw mutated notifications at the receiver: `python -m benchmarks.edge.fuzz --inputs 10000000`.

Every input is a function of the seed and its number, so a finding can be repeated alone.
"""

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from benchmarks.edge.oracle import SECRETS, Subject
from comanda.mercadopago.signature import sign
from local.gateway.event import HttpRequest, lambda_event

CHUNK = 20_000
REQUEST_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
IDS = ("123456789012", "ORD01JQ4S4KY8HWQ6NA5PXB65B3D3", "123456", "")
TOPICS = ("payment", "order", "orders", "stop_delivery_op_wh", "chargebacks", "mp-connect", "")
INSTANTS = ("1766455693", "1766455693000", "4102444800", "0000000000")
# What parsers trip over: delimiters, digits that are none, half pairs, controls, endless nesting.
NASTY = (
    *(",", ";", "=", "ts=", "v1=", "id:", "request-id:", "\0", "\r\n", "\t", " ", "\x85", "\ufeff"),
    *("\ud800", "\uffff", "٣", "²", "é", "%00", "%ff", "+", "../", '"', "\\", "{", "[" * 5000),
    *("9" * 5000, "1e400", "NaN", "-1", "true", "null", "0" * 64, "\U0001f355", "a" * 9000),
)


@dataclass(slots=True)
class Draft:
    """A request before it is rendered; mutations change it in place."""

    method: str = "POST"
    path: str = "/webhooks/mercadopago/lanchonete-da-ana"
    headers: list[tuple[str, str]] = field(default_factory=list)
    query: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""


def authentic(dice: random.Random) -> Draft:
    """Make a notification that is signed as Mercado Pago would."""
    data_id, topic, ts = dice.choice(IDS), dice.choice(TOPICS), dice.choice(INSTANTS)
    request_id = dice.choice((REQUEST_ID, REQUEST_ID, None))
    header = sign(
        secret=dice.choice(SECRETS), data_id=data_id or None, request_id=request_id, ts=ts
    )
    content = {"type": topic, "action": "x", "data": {"id": data_id, "payment_id": 123}}
    query = [("data.id", data_id)] * bool(data_id) + [("type", topic)]
    headers = [("X-Signature", header), ("Content-Type", "application/json")]
    headers += [("X-Request-Id", request_id)] if request_id else []
    return Draft(headers=headers, query=query, body=json.dumps(content))


def change_text(text: str, dice: random.Random) -> str:
    """Insert, delete, replace or repeat somewhere in a text."""
    at, until = sorted((dice.randint(0, len(text)), dice.randint(0, len(text))))
    kind = dice.randrange(5)
    if kind == 0:
        return text[:at] + dice.choice(NASTY) + text[at:]
    if kind == 1:
        return text[:at] + text[until:]
    if kind == 2:
        return (
            text[:at]
            + chr(dice.choice((dice.randrange(256), dice.randrange(0x110000))))
            + (text[at + 1 :])
        )
    if kind == 3:
        return (text + text[at:until])[:100_000]
    return text.swapcase()


def change_pairs(pairs: list[tuple[str, str]], dice: random.Random) -> None:
    """Change, double, drop or invent a header or a parameter."""
    kind = dice.randrange(4)
    if not pairs or kind == 0:
        names = ("data.id", "id", "topic", "type", "x-signature", "X-REQUEST-ID", "data_id")
        pairs.append((dice.choice(names), dice.choice((*NASTY, *IDS, *TOPICS))))
        return
    at = dice.randrange(len(pairs))
    name, value = pairs[at]
    if kind == 1:
        pairs[at] = (name, change_text(value, dice))
    elif kind == 2:
        pairs.insert(at, (change_text(name, dice), value) if dice.random() < 0.3 else (name, value))
    else:
        del pairs[at]


MUTATIONS: tuple[Callable[[Draft, random.Random], None], ...] = (
    lambda draft, dice: change_pairs(draft.headers, dice),
    lambda draft, dice: change_pairs(draft.query, dice),
    lambda draft, dice: setattr(draft, "body", change_text(draft.body, dice)),
    lambda draft, dice: setattr(draft, "path", change_text(draft.path, dice)),
)


def input_of(seed: int, number: int) -> tuple[dict[str, Any], str]:
    """Make the input of this number: an event and a body."""
    dice = random.Random(seed * 1_000_003 + number)  # noqa: S311  # It must repeat itself.
    draft = authentic(dice)
    for _ in range(dice.randrange(4)):
        dice.choice(MUTATIONS)(draft, dice)
    request = HttpRequest(
        method=draft.method,
        path=draft.path,
        query="",
        headers=draft.headers,
        body=b"",
        source_ip="127.0.0.1",
        request_id="r",
    )
    event = lambda_event(request, resource="", parameters={}, stage="fuzz")
    query: dict[str, list[str]] = {}
    for name, value in draft.query:
        query.setdefault(name, []).append(value)
    event["multiValueQueryStringParameters"] = query or None
    return event, draft.body


def run_chunk(task: tuple[int, int, int]) -> Counter[str]:
    """Check inputs `start` to `stop`; raise with the number of the first finding."""
    seed, start, stop = task
    global _subject  # One receiver a process, made with its first chunk.
    _subject = _subject or _quiet_subject()
    outcomes: Counter[str] = Counter()
    for number in range(start, stop):
        event, body = input_of(seed, number)
        try:
            outcomes[_subject.check(event, body)] += 1
        except Exception as exc:  # Whatever escapes is a finding.
            raise RuntimeError(f"input {number} of seed {seed}: {exc!r}") from exc
    return outcomes


_subject: Subject | None = None


def _quiet_subject() -> Subject:
    import logging

    subject = Subject()
    logging.getLogger("webhooks_lambda").setLevel(logging.CRITICAL)
    return subject


def main(arguments: list[str]) -> int:
    """Run, print what came out, and return 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    tasks = [
        (chosen.seed, start, min(start + CHUNK, chosen.inputs))
        for start in range(0, chosen.inputs, CHUNK)
    ]
    began, outcomes = time.monotonic(), Counter[str]()
    with get_context("spawn").Pool(chosen.jobs) as pool:
        try:
            for found in pool.imap_unordered(run_chunk, tasks):
                outcomes += found
        except RuntimeError as exc:
            print(f"FOUND: {exc}")
            return 1
    took = time.monotonic() - began
    for outcome, count in outcomes.most_common():
        print(f"{count:>12,}  {outcome}")
    print(f"{outcomes.total():>12,}  inputs in {took:.0f} s, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
