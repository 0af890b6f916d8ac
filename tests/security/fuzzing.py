"""Attack every door of every OpenAPI document: `python -m tests.security.fuzzing --seconds N`.

Each request is made from the seed and its number alone, so any of them can be repeated. An answer
must be one that the document allows, small, quick, without a trace of our insides, and a problem
document if it refuses.
"""

import argparse
import asyncio
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.postgres import running_postgres
from tests.identity_doors import SHOPS, lambda_environment
from tests.security.bed import Answer, Bed, Sent, opened_bed, tokens_of_everybody
from tests.security.hostile import Inventor

# Any server may answer these, whatever a document says.
_ALWAYS = frozenset({400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 428, 429, 503})
_LARGEST_ANSWER = 64 * 1024
# Five hundred acts, each with a reason and a name of their longest; nobody but an owner reads them.
_LONG_LISTS = {"/apis/archive/{shop}/acts": 1024 * 1024}
_LONGEST_SECONDS = 5.0
_INSIDES = (b"Traceback", b"psycopg", b"pydantic.dev", b"site-packages", b"SELECT ", b"botocore")
_AT_ONCE = 16
_MOST_HOLES = 200
_JSON = (b"application/json", b"application/json", b"application/json", b"text/plain", b"image/png")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of one document."""

    service: str
    method: str
    path: str
    parameters: tuple[Any, ...]
    schema: Any
    statuses: frozenset[int]


@dataclass(kw_only=True)
class Found:
    """What an attack found."""

    count: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    doors: Counter[str] = field(default_factory=Counter)
    holes: dict[str, str] = field(default_factory=dict)

    def note(
        self, number: int, sent: Sent, operation: Operation, answer: Answer, *, seed: int
    ) -> None:
        """Count an answer, and keep it if it is a hole."""
        self.count += 1
        self.statuses[answer.status] += 1
        self.doors[operation.service] += 1
        hole = hole_in(answer, operation=operation)
        if hole:
            name = f"{operation.method} {operation.path}: {hole}"[:300]
            self.holes.setdefault(name, f"--seed {seed} --only {number}: {sent}"[:900])


def operations(bed: Bed) -> list[Operation]:
    """List every operation that the documents describe."""
    found = []
    for service, document in bed.documents.items():
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                content = operation.get("requestBody", {}).get("content", {})
                schema = content.get("application/json", {}).get("schema", {})
                statuses = frozenset(int(s) for s in operation["responses"] if s.isdecimal())
                found.append(
                    Operation(
                        service=service,
                        method=method.upper(),
                        path=path,
                        parameters=tuple(operation.get("parameters", ())),
                        schema=schema,
                        statuses=statuses | _ALWAYS,
                    )
                )
    return found


def invented(operation: Operation, *, bed: Bed, source: random.Random, token: str) -> Sent:
    """Make one request of an operation."""
    inventor = Inventor(source, document=bed.documents[operation.service])
    path, query = operation.path, []
    headers = [(b"content-type", source.choice(_JSON)), (b"if-match", b"*")]
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    for parameter in operation.parameters:
        value = _parameter(parameter, inventor=inventor, source=source)
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(value, safe="", errors="replace"))
        elif parameter["in"] == "query" and source.random() < 0.7:
            query.append(f"{parameter['name']}={quote(value, safe='', errors='replace')}")
        elif parameter["in"] == "header" and source.random() < 0.9:
            text = value.encode("latin-1", "replace").replace(b"\r", b"").replace(b"\n", b"")
            headers.append((parameter["name"].lower().encode(), text[:9_000]))
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + quote(inventor.text(), safe="", errors="replace") + rest.partition("}")[2]
    return Sent(
        service=operation.service,
        method=operation.method,
        path=path.encode(),
        query="&".join(query).encode(),
        headers=tuple(headers),
        body=inventor.body(operation.schema) if operation.method != "GET" else b"",
    )


def _parameter(parameter: Any, *, inventor: Inventor, source: random.Random) -> str:
    if parameter["name"] == "shop":
        return str(SHOPS[0]) if source.random() < 0.95 else inventor.text()
    if source.random() < 0.5:
        return inventor.text() or "x"
    value = inventor.value(parameter.get("schema", {}), faults=0.0)
    return ("true" if value else "false") if isinstance(value, bool) else str(value) or "x"


def hole_in(answer: Answer, *, operation: Operation) -> str:
    """Name what is wrong with an answer; an empty text is nothing."""
    if answer.fault:
        return f"the app raised {answer.fault[:200]}"
    if answer.status not in operation.statuses:
        return f"{answer.status} is not documented: {answer.body[:200]!r}"
    if answer.status >= 400 and "problem+json" not in answer.headers.get("content-type", ""):
        return f"{answer.status} is no problem document: {answer.body[:100]!r}"
    largest = _LONG_LISTS.get(operation.path, _LARGEST_ANSWER)
    if len(answer.body) > largest:
        return f"an answer of more than {largest} bytes"
    if answer.seconds > _LONGEST_SECONDS:
        return "an answer that took too long"
    shown = [text for text in _INSIDES if text in answer.body]
    return f"it shows {shown[0]!r}" if shown else ""


async def attack(
    bed: Bed, *, seed: int, is_over: Callable[[int], bool], only: int | None = None
) -> Found:
    """Send requests, some at once, until it is over, or one of them again; give what was found.

    The stores are waited for by many, so a core is never idle, and doors meet each other's races.
    """
    doors = operations(bed)
    tokens = ["", *tokens_of_everybody().values()]
    found = Found()
    number = only or 0
    while not is_over(found.count) and len(found.holes) < _MOST_HOLES:
        numbers = range(number, number + (1 if only is not None else _AT_ONCE))
        shots = [_shot(bed, doors, number=n, seed=seed, tokens=tokens) for n in numbers]
        for at, sent, operation, answer in await asyncio.gather(*shots):
            found.note(at, sent, operation, answer, seed=seed)
            if only is not None:
                print(sent, answer, sep="\n")
        if only is not None:
            break
        number += _AT_ONCE
    return found


async def _shot(
    bed: Bed, doors: list[Operation], *, number: int, seed: int, tokens: list[str]
) -> tuple[int, Sent, Operation, Answer]:
    source = random.Random(f"{seed}/{number}")
    operation = doors[number % len(doors)]
    token = source.choice([*tokens, tokens[1], tokens[1], tokens[1]])
    sent = invented(operation, bed=bed, source=source, token=token)
    return number, sent, operation, await bed.ask(sent)


def after(seconds: float) -> Callable[[int], bool]:
    """Give what tells whether so long has gone."""
    until = time.monotonic() + seconds
    return lambda _: time.monotonic() >= until


async def attack_all(
    seed: int, *, is_over: Callable[[int], bool], only: int | None = None
) -> Found:
    """Open all doors on databases of their own, and attack them."""
    from workers.catalog.migrate import migrate as migrate_catalog
    from workers.payments.migrate import migrate as migrate_payments

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with (
            lambda_environment(),
            running_postgres(root / "payments") as payments,
            running_postgres(root / "catalog") as catalog,
        ):
            migrate_payments(payments)
            migrate_catalog(catalog)
            async with opened_bed(payments_dsn=payments, catalog_dsn=catalog) as bed:
                return await attack(bed, seed=seed, is_over=is_over, only=only)


def _from_the_first(seconds: float) -> Callable[[int], bool]:
    bounds: list[Callable[[int], bool]] = []

    def is_over(count: int) -> bool:
        if not bounds:
            bounds.append(after(seconds))
        return bounds[0](count)

    return is_over


def main() -> None:
    """Attack, print what was found, and fail if there was a hole."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.fuzzing")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", type=int)
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = asyncio.run(
        # Databases and documents take their time before the first request.
        attack_all(chosen.seed, is_over=_from_the_first(chosen.seconds), only=chosen.only)
    )
    print(f"seed {chosen.seed}: {found.count} requests to {len(found.doors)} services")
    print(json.dumps({str(k): v for k, v in sorted(found.statuses.items())}))
    for name, how in found.holes.items():
        print(f"HOLE {name}\n     {how}")
    sys.exit(bool(found.holes))


if __name__ == "__main__":
    main()
