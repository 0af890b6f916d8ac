"""An HTTP server on loopback that keeps every request and answers by a script."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One request as it arrived; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Scripted:
    """One answer; `drops` closes the connection instead."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    drops: bool = False


class Recorder:
    """What arrived, and what will be answered; without a script, `usual`."""

    def __init__(self, usual: Scripted) -> None:
        self.requests: list[Recorded] = []
        self.script: deque[Scripted] = deque()
        self.url = ""
        self._usual = usual

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Keep the request, give the next answer."""
        self.requests.append(
            Recorded(
                method=request.method,
                path=request.path_qs,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
            )
        )
        answer = self.script.popleft() if self.script else self._usual
        if answer.drops:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


@asynccontextmanager
async def recording(usual: Scripted | None = None) -> AsyncIterator[Recorder]:
    """Listen on a free port of 127.0.0.1."""
    recorder = Recorder(usual or Scripted())
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", recorder.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        recorder.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield recorder
    finally:
        await runner.cleanup()
