"""The catalog over HTTP: the menu for everybody, the stock and what was refused for staff."""

import hashlib
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from psycopg import OperationalError

from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.ids import InvalidShopId, ShopId
from comanda.settings import read
from comanda.telemetry import configure_logging
from workers.catalog.ports import CatalogReader
from workers.catalog.repository import PostgresCatalogReader
from workers.catalog.views import (
    LevelView,
    MenuView,
    ProductView,
    RefusalsView,
    RefusalView,
    StockAuditsView,
    StockAuditView,
    StockView,
)
from workers.runtime.http import Lifespan, Problem, create_api, serve, staff, unavailable
from workers.runtime.postgres_pool import postgres_pool

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogApiSettings:
    """What the catalog's API reads from its environment."""

    stage: str
    shops: tuple[ShopId, ...]
    database_url: str
    http_port: int
    http_host: str = "127.0.0.1"


async def known_shop(shop: str, request: Request) -> ShopId:
    """Take the shop of the path; 404 when there is none of that name."""
    try:
        shop_id = ShopId(shop)
    except InvalidShopId as exc:
        raise Problem(404, "There is no such shop") from exc
    if shop_id not in request.app.state.shops:
        raise Problem(404, "There is no such shop")
    return shop_id


async def reader_of(request: Request) -> CatalogReader:
    """Give what the lifespan connected."""
    reader: CatalogReader = request.app.state.reader
    return reader


KnownShop = Annotated[ShopId, Depends(known_shop)]
Reader = Annotated[CatalogReader, Depends(reader_of)]

router = APIRouter(prefix="/apis/catalog/{shop}")


@router.get("/menu", response_model=MenuView, responses={304: {"description": "Not modified"}})
async def menu(
    shop: KnownShop, *, reader: Reader, if_none_match: Annotated[str, Header()] = ""
) -> Response:
    """Show what the shop sells; with an `ETag`, so that an unchanged menu is not sent twice."""
    products = await _answered(reader.menu(shop))
    body = MenuView(products=[ProductView.of(product) for product in products]).model_dump_json()
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if _names(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get("/stock", dependencies=[Depends(staff("kitchen", "manager", "owner"))])
async def stock(shop: KnownShop, *, reader: Reader) -> StockView:
    """Show where the stock of each product is."""
    levels = await _answered(reader.levels(shop))
    return StockView(levels=[LevelView.of(level) for level in levels])


@router.get("/audit", dependencies=[Depends(staff("manager", "owner"))])
async def audit(shop: KnownShop, *, reader: Reader) -> StockAuditsView:
    """Show an auditor the stock beside what it should be."""
    found = await _answered(reader.audit(shop))
    return StockAuditsView(levels=[StockAuditView(**asdict(each)) for each in found])


@router.get("/refused-transitions", dependencies=[Depends(staff("manager", "owner"))])
async def refused_transitions(
    shop: KnownShop, *, reader: Reader, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> RefusalsView:
    """Show the newest steps that reservations refused."""
    refusals = await _answered(reader.refusals(shop, limit=limit))
    return RefusalsView(refused_transitions=[RefusalView.of(refusal) for refusal in refusals])


def build_app(shops: tuple[ShopId, ...], *, connect: Lifespan) -> FastAPI:
    """Make the app; `connect` sets `reader` and `verifier` on its state."""

    async def probe() -> None:
        await app.state.reader.ping()

    app = create_api("catalog", probe=probe, lifespan=connect)
    app.state.shops = frozenset(shops)
    app.include_router(router)
    return app


def main() -> None:
    """Serve the catalog until SIGTERM."""
    configure_logging("catalog-api")
    settings = read(CatalogApiSettings)
    identity = read(IdentitySettings)

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        async with postgres_pool(settings.database_url) as pool:
            app.state.reader = PostgresCatalogReader(pool)
            app.state.verifier = verifier_from(identity)
            yield

    app = build_app(settings.shops, connect=connect)
    serve(app, host=settings.http_host, port=settings.http_port)


async def _answered(reading: Awaitable[T]) -> T:
    try:
        return await reading
    except OperationalError as exc:
        raise unavailable("the catalog's database is out of reach") from exc


def _names(header: str, tag: str) -> bool:
    # A proxy that compresses makes a tag weak; for a GET the comparison is weak too (RFC 9110).
    tags = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in tags or tag in tags


if __name__ == "__main__":
    main()
