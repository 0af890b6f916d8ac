"""Liveness, readiness and metrics of a worker, over a small HTTP server of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


@asynccontextmanager
async def serve_health(
    *, port: int, probe: Callable[[], Awaitable[None]], is_healthy: Callable[[], bool]
) -> AsyncIterator[int]:
    """Serve `/health/live`, `/health/ready` and `/metrics`; give the port that was bound."""

    async def live(_: web.Request) -> web.Response:
        # Liveness is the loop's own beat: that this answers at all.
        return web.json_response({"status": "live"})

    async def ready(_: web.Request) -> web.Response:
        if not is_healthy():
            return web.json_response({"status": "stopped"}, status=503)
        try:
            await probe()
        except Exception as exc:  # noqa: BLE001  # Any failure of a dependency means "not ready".
            return web.json_response(
                {"status": "not ready", "fault": type(exc).__name__}, status=503
            )
        return web.json_response({"status": "ready"})

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes(
        [
            web.get("/health/live", live),
            web.get("/health/ready", ready),
            web.get("/metrics", metrics),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
