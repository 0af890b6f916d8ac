"""The archive's API before a client, on moto's S3 and DynamoDB, with a queue that remembers."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI

from comanda.envelope import Envelope
from comanda.messaging.ports import MessagingUnavailable
from tests.archive_builders import NOW, OTHER_SHOP, SHOP, Shelf, aws_stand_in, opened_shelf
from tests.orders_http import verifier
from workers.archive.act_items import DynamoActBook
from workers.archive.api import build_app
from workers.archive.doors import Shelves
from workers.archive.model import Entry, entry_of
from workers.archive.plan import listeners
from workers.archive.replay_items import DynamoReplayBook
from workers.archive.replays import ReplayBook, Replayer
from workers.archive.repository import DynamoIndex


@dataclass
class ScriptedSender:
    """A queue that remembers; it breaks once, after so many batches, when told to."""

    breaks_after: int = -1
    sent: list[tuple[str, Entry, Mapping[str, str]]] = field(default_factory=list)
    batches: int = 0

    async def send(
        self, queue: str, entries: Sequence[Entry], *, provenance: Mapping[str, str]
    ) -> None:
        if self.batches == self.breaks_after:
            self.breaks_after = -1
            raise MessagingUnavailable
        self.batches += 1
        self.sent += [(queue, entry, provenance) for entry in entries]

    @property
    def ids(self) -> list[str]:
        return [entry.event_id for _, entry, _ in self.sent]


class Desk:
    """A client of the served API, and the stores behind it."""

    def __init__(self, session: aiohttp.ClientSession, shelf: Shelf, book: ReplayBook) -> None:
        self.session = session
        self.shelf = shelf
        self.book = book
        self.sender = ScriptedSender()
        self.now = NOW

    async def keep(self, envelopes: Sequence[Envelope]) -> None:
        scribe = self.shelf.scribe()
        await asyncio.gather(*(scribe.keep(entry_of(it)) for it in envelopes))

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        async with self.session.request(method, path, **options) as answer:
            return answer.status, json.loads(await answer.read())

    def replayer(self) -> Replayer:
        return Replayer(
            self.book,
            objects=self.shelf.objects,
            sender=self.sender,
            heard=listeners(),
            clock=lambda: self.now,
        )


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with aws_stand_in() as url:
        yield url


@pytest_asyncio.fixture
async def desk(endpoint: str) -> AsyncIterator[Desk]:
    async with opened_shelf("aws", endpoint) as shelf:
        assert isinstance(shelf.index, DynamoIndex)
        book = DynamoReplayBook(shelf.index.table)

        @asynccontextmanager
        async def connect(app: FastAPI) -> AsyncIterator[None]:
            app.state.shelves = Shelves(
                index=shelf.index,
                objects=shelf.objects,
                book=book,
                acts=DynamoActBook(shelf.index.table),
                clock=lambda: NOW,
            )
            app.state.verifier = verifier()
            yield

        app = build_app((SHOP, OTHER_SHOP), connect=connect)
        async with served(app) as url, aiohttp.ClientSession(url) as session:
            yield Desk(session, shelf, book)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving
