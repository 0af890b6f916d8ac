"""How long each request takes, by route and status; plain ASGI, for it stands before everything."""

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comanda.telemetry import REQUEST_SECONDS


class Timing:
    """Observe every request of one context."""

    def __init__(self, app: ASGIApp, *, context: str) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and note its seconds."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        seen: dict[str, Any] = {"status": 500}

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            labels = REQUEST_SECONDS.labels(self._context, route, str(seen["status"]))
            labels.observe(time.perf_counter() - started)
