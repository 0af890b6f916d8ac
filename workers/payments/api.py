"""Payments over HTTP, for staff: charges, totals, open cases, and what the provider told us."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from psycopg import OperationalError

from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.ids import InvalidShopId, OrderId, ShopId
from comanda.settings import read
from comanda.telemetry import configure_logging
from workers.payments.ports import PaymentsReader
from workers.payments.repository import PostgresPaymentsReader
from workers.payments.views import (
    CasesView,
    CaseView,
    ChargesView,
    ChargeView,
    NotificationsView,
    NotificationView,
    TotalsView,
)
from workers.runtime.http import Lifespan, Problem, create_api, serve, staff, unavailable
from workers.runtime.postgres_pool import postgres_pool

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentsApiSettings:
    """What the API of payments reads from its environment."""

    stage: str
    shops: tuple[ShopId, ...]
    database_url: str
    http_port: int
    http_host: str = "127.0.0.1"


def known_shop(shop: str, request: Request) -> ShopId:
    """Take the shop of the path; 404 when there is none of that name."""
    try:
        shop_id = ShopId(shop)
    except InvalidShopId as exc:
        raise Problem(404, "There is no such shop") from exc
    if shop_id not in request.app.state.shops:
        raise Problem(404, "There is no such shop")
    return shop_id


def reader_of(request: Request) -> PaymentsReader:
    """Give what the lifespan connected."""
    reader: PaymentsReader = request.app.state.reader
    return reader


KnownShop = Annotated[ShopId, Depends(known_shop)]
Reader = Annotated[PaymentsReader, Depends(reader_of)]
_ANY_STAFF = Depends(staff("kitchen", "manager", "owner"))
_OFFICE = Depends(staff("manager", "owner"))

router = APIRouter(prefix="/apis/payments/{shop}")


@router.get("/charges", dependencies=[_ANY_STAFF])
async def charges(
    shop: KnownShop, *, reader: Reader, order_id: Annotated[str, Query(min_length=1, max_length=64)]
) -> ChargesView:
    """Show the charges of an order."""
    found = await _answered(reader.charges(shop, OrderId(order_id)))
    return ChargesView(charges=[ChargeView.of(charge) for charge in found])


@router.get("/totals", dependencies=[_ANY_STAFF])
async def totals(shop: KnownShop, *, reader: Reader) -> TotalsView:
    """Show what the shop's payments add up to; the sum is that of the ledger."""
    return TotalsView.of(await _answered(reader.totals(shop)))


@router.get("/cases", dependencies=[_OFFICE])
async def cases(
    shop: KnownShop, *, reader: Reader, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> CasesView:
    """Show what a human must settle, oldest first."""
    found = await _answered(reader.open_cases(shop, limit=limit))
    return CasesView(cases=[CaseView.of(case) for case in found])


@router.get("/notifications", dependencies=[_OFFICE])
async def notifications(
    shop: KnownShop,
    *,
    reader: Reader,
    resource_id: Annotated[str, Query(min_length=1, max_length=128)],
) -> NotificationsView:
    """Show what came in for a resource of the provider, and our verdicts."""
    found = await _answered(reader.notifications(shop, resource_id))
    return NotificationsView(notifications=[NotificationView.of(each) for each in found])


def build_app(shops: tuple[ShopId, ...], *, connect: Lifespan) -> FastAPI:
    """Make the app; `connect` sets `reader` and `verifier` on its state."""

    async def probe() -> None:
        await app.state.reader.ping()

    app = create_api("payments", probe=probe, lifespan=connect)
    app.state.shops = frozenset(shops)
    app.include_router(router)
    return app


def main() -> None:
    """Serve payments until SIGTERM."""
    configure_logging("payments-api")
    settings = read(PaymentsApiSettings)
    identity = read(IdentitySettings)

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        async with postgres_pool(settings.database_url) as pool:
            app.state.reader = PostgresPaymentsReader(pool)
            app.state.verifier = verifier_from(identity)
            yield

    app = build_app(settings.shops, connect=connect)
    serve(app, host=settings.http_host, port=settings.http_port)


async def _answered(reading: Awaitable[T]) -> T:
    try:
        return await reading
    except OperationalError as exc:
        raise unavailable("the database of payments is out of reach") from exc


if __name__ == "__main__":
    main()
