"""A span for each request to an API; plain ASGI, and only there while spans are made."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comanda.tracing import Spans

# Kubelets and Prometheus ask these all day, and nobody looks for their traces.
_QUIET = ("/health/", "/metrics")


class Serving:
    """Put each request into a span, as a child of the caller's."""

    def __init__(self, app: ASGIApp, *, spans: Spans) -> None:
        self._app = app
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request in its span."""
        if scope["type"] != "http" or scope["path"].startswith(_QUIET):
            await self._app(scope, receive, send)
            return
        traceparent = Headers(scope=scope).get("traceparent")
        statuses = [500]

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        with self._spans.serving(scope["method"], traceparent=traceparent) as ending:
            try:
                await self._app(scope, receive, watch)
            finally:
                ending(statuses[-1], route=getattr(scope.get("route"), "path", ""))
