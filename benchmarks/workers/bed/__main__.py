"""Serve the bed: `python -m benchmarks.workers.bed --port P`; control it under `/bed/`."""

import argparse
import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import uvloop

from benchmarks.workers.bed.bodies import event_id, renderer
from benchmarks.workers.bed.http import Connection, Request
from benchmarks.workers.bed.queue import BedQueue, Faults
from benchmarks.workers.bed.sns import SNSSink
from benchmarks.workers.bed.sqs import JSON, SQSActions

Fields = dict[str, Any]


class Bed:
    """One queue, one sink, and the controls of the benchmark."""

    def __init__(self, base: str) -> None:
        self._queue = BedQueue(clock=time.time)
        self._sqs = SQSActions(self._queue, render=renderer("comanda"), base=base)
        self._sns = SNSSink()
        self._round_trip = 0.0
        self._pacing: asyncio.Task[None] | None = None
        self._controls: dict[str, Callable[[Fields], object]] = {
            "configure": self._configure,
            "fill": self._fill,
            "hold": lambda fields: self._queue.hold(fields["backlog"]),
            "purge": lambda _: self._queue.purge(),
            "pace": self._pace,
            "stats": lambda _: self._stats(),
            "latencies": lambda fields: self._queue.latencies(since=fields["since"]),
            "missing": self._missing,
        }

    @property
    def round_trip(self) -> float:
        """Give the seconds that every answer takes."""
        return self._round_trip

    def handle(self, request: Request, connection: Connection) -> None:
        """Serve one request."""
        if request.action:
            self._sqs.handle(request.action, request.body, connection)
            return
        path = request.line.split(b" ")[1].decode()
        if not path.startswith("/bed/"):
            connection.answer(200, b"text/xml", self._sns.handle(request.body))
            return
        do = self._controls.get(path.removeprefix("/bed/"))
        if do is None:
            connection.answer(404, JSON, b"{}")
            return
        connection.answer(200, JSON, json.dumps(do(json.loads(request.body or b"{}"))).encode())

    def _configure(self, fields: Fields) -> None:
        self._round_trip = fields.get("round_trip", self._round_trip)
        if "body" in fields:
            self._sqs.render = renderer(fields["body"])
        self._queue.configure(
            visibility=fields.get("visibility", 30.0), faults=Faults(**fields.get("faults", {}))
        )

    def _fill(self, fields: Fields) -> int:
        first = self._queue.fill(fields["count"])
        self._sqs.wake()
        return first

    def _pace(self, fields: Fields) -> int:
        first = self._queue.counts.filled
        self._pacing = asyncio.create_task(self._send(fields["rate"], fields["count"]))
        return first

    async def _send(self, rate: float, count: int) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        for sent in range(count):
            # The next instant of the plan, not the last one plus a pause: lateness does not add up.
            await asyncio.sleep(max(0.0, started + sent / rate - loop.time()))
            self._queue.fill(1)
            self._sqs.wake()

    def _stats(self) -> Fields:
        return {
            **asdict(self._queue.counts),
            "now": time.time(),
            "first_received_at": self._queue.first_received_at,
            "last_deleted_at": self._queue.last_deleted_at,
            "cpu": time.process_time(),
            "calls": self._sqs.calls,
            "published": self._sns.published,
            "caused": len(self._sns.causes),
        }

    def _missing(self, fields: Fields) -> int:
        wanted = range(fields["count"])
        return sum(event_id(number) not in self._sns.causes for number in wanted)


async def serve(port: int) -> None:
    """Serve until cancelled."""
    bed = Bed(f"http://127.0.0.1:{port}")
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(bed.handle, round_trip=lambda: bed.round_trip),
        "127.0.0.1",
        port,
        backlog=1024,
    )
    await server.serve_forever()


def main() -> None:
    """Read the port and serve."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers.bed", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(port))


if __name__ == "__main__":
    main()
