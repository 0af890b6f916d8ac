"""What every pod's API has in common: problems, health, metrics, identity, OpenAPI."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Annotated, Any, Protocol

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from comanda.garbage import collect_seldom
from comanda.http_protocol import PatientProtocol
from comanda.identity.verifier import (
    FetchNeeded,
    Identity,
    InvalidToken,
    KeysUnavailable,
    Kind,
)
from comanda.ids import InvalidShopId, ShopId
from comanda.intake import LARGEST_BODY, Intake
from comanda.openapi.whole import finished
from comanda.tracing import switch
from workers.runtime import tracing
from workers.runtime.problems import Problem, install, unavailable
from workers.runtime.serving import Serving
from workers.runtime.timing import Timing

__all__ = [
    "KnownShop",
    "Problem",
    "any_identity",
    "create_api",
    "known_shop",
    "serve",
    "staff",
    "unavailable",
]

log = logging.getLogger(__name__)
Probe = Callable[[], Awaitable[None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
# Nothing here asks for the client's address, no door speaks websockets, and what an answer is it
# says itself: no browser may find a script in a picture.
SERVING: dict[str, Any] = {
    "http": PatientProtocol,
    "access_log": False,
    "log_config": None,
    "timeout_graceful_shutdown": 10,
    # Longer than a load balancer (60 s) or the laptop's edge keeps one, or it would send a request
    # into a connection that closes.
    "timeout_keep_alive": 75,
    "server_header": False,
    "headers": [("X-Content-Type-Options", "nosniff")],
    "proxy_headers": False,
    "ws": "none",
}
# What the doors of any API may answer: who asks, for which shop, and whether its store is there.
_ANYWHERE = (401, 403, 404, 422, 503)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="comanda"'}


class Verifier(Protocol):
    """Whoever turns a bearer token into an identity; `app.state.verifier` is one."""

    def verify(self, token: str, *, may_fetch: bool = True) -> Identity:
        """Give the identity, or raise `InvalidToken`, `KeysUnavailable` or `FetchNeeded`."""


class Api(FastAPI):
    """FastAPI, whose document tells of problems as we answer them, with examples."""

    def openapi(self) -> dict[str, Any]:
        """Describe the API, once."""
        if self.openapi_schema is None:
            self.openapi_schema = finished(super().openapi(), refusals=_ANYWHERE)
        return self.openapi_schema


def create_api(
    context: str, *, probe: Probe, lifespan: Lifespan, largest_body: int = LARGEST_BODY
) -> FastAPI:
    """Make the API of one context; its lifespan must set `app.state.verifier`.

    A request with more than `largest_body` bytes is refused with 413.
    """
    app = Api(
        title=f"Comanda {context}",
        version="1",
        lifespan=lifespan,
        openapi_url=f"/apis/{context}/openapi.json",
        # Its page would run a stranger's script from a stranger's server, on our own address.
        docs_url=None,
        redoc_url=None,
    )
    install(app)
    _add_health(app, probe)
    app.add_middleware(Intake, largest=largest_body)
    app.add_middleware(Timing, context=context)
    tracing.start(f"{context}-api")
    if switch.spans is not None:
        app.add_middleware(Serving, spans=switch.spans)
    return app


async def identity_of(request: Request) -> Identity:
    """Verify the bearer token; 401 without a good one, 404 when it is another shop's."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(401, "A bearer token is needed", headers=_CHALLENGE)
    try:
        identity = await _verified(request.app.state.verifier, token)
    except InvalidToken as exc:
        raise Problem(401, "This token is not good here", headers=_CHALLENGE) from exc
    except KeysUnavailable as exc:
        raise unavailable("the keys that verify tokens are out of reach") from exc
    if identity.shop_id != request.path_params.get("shop"):
        # A token of one shop must not learn what exists in another.
        raise Problem(404, "Not found")
    return identity


async def _verified(verifier: Verifier, token: str) -> Identity:
    try:
        return verifier.verify(token, may_fetch=False)
    except FetchNeeded:
        # Only a fetch of keys is slow enough to need a thread.
        return await asyncio.to_thread(verifier.verify, token)


any_identity = Annotated[Identity, Depends(identity_of)]


async def known_shop(shop: str, request: Request) -> ShopId:
    """Take the shop of the path; 404 when `app.state.shops` has none of that name."""
    with suppress(InvalidShopId):
        shop_id = ShopId(shop)
        if shop_id in request.app.state.shops:
            return shop_id
    raise Problem(404, "There is no such shop")


KnownShop = Annotated[ShopId, Depends(known_shop)]


def staff(*groups: str) -> Callable[[Identity], Awaitable[Identity]]:
    """Make the dependency that admits staff of any of these groups; others get 403."""

    # A coroutine, for FastAPI would send a plain function to its thread pool.
    async def require(identity: any_identity) -> Identity:
        if identity.kind is not Kind.STAFF or not identity.groups & set(groups):
            raise Problem(403, "This needs another role", detail=f"one of: {', '.join(groups)}")
        return identity

    return require


def serve(app: FastAPI, *, host: str, port: int) -> None:
    """Serve until SIGTERM, then leave with status 0; requests in hand are finished first."""
    collect_seldom()
    # uvicorn raises the signal once more when it is done, and whoever came first hears it then.
    signal.signal(signal.SIGTERM, _leave)
    try:
        uvicorn.run(app, host=host, port=port, **SERVING)
    finally:
        tracing.stop()


def _leave(*_: object) -> None:
    sys.exit(0)


def _add_health(app: FastAPI, probe: Probe) -> None:
    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", include_in_schema=False)
    async def ready() -> dict[str, str]:
        try:
            await probe()
        except Exception as exc:  # Any failure of a dependency means "not ready".
            raise unavailable(f"not ready: {type(exc).__name__}") from exc
        return {"status": "ready"}

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
