"""Orders over HTTP: customers place and follow theirs, the kitchen moves them on.

`POST` places an order in one transaction with its event; everything after that arrives through the
worker, and is read from the store.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response

from comanda.identity.settings import IdentitySettings, verifier_from
from comanda.identity.verifier import Identity, Kind
from comanda.ids import InvalidShopId, OrderId, ShopId, is_id
from comanda.settings import read
from comanda.telemetry import configure_logging
from workers.orders.asking import Asked, asked, refusing, wait_of
from workers.orders.audit_views import AuditView
from workers.orders.desk import DynamoDesk
from workers.orders.floor import Floor, qr_code
from workers.orders.handlers import OrderUnknown, advance
from workers.orders.model import IllegalTransition, Order, Step
from workers.orders.placing import Placement
from workers.orders.repository import DynamoOrderRepository
from workers.orders.table import DynamoTable
from workers.orders.views import BoardView, OrderView, StaffOrderView, TotalsView
from workers.runtime.aws import dynamodb_client, sns_publisher
from workers.runtime.dynamodb import DynamoUnits
from workers.runtime.errors import RetryLater, StoreUnavailable
from workers.runtime.http import (
    Lifespan,
    Problem,
    any_identity,
    create_api,
    serve,
    staff,
    unavailable,
)

T = TypeVar("T")
_JSON = "application/json"


@dataclass(frozen=True, kw_only=True, slots=True)
class OrdersApiSettings:
    """What the API of orders reads from its environment."""

    stage: str
    shops: tuple[ShopId, ...]
    orders_table: str
    topic_arn: str
    http_port: int
    http_host: str = "127.0.0.1"


async def known_shop(shop: str, request: Request) -> ShopId:
    """Take the shop of the path; 404 when there is none of that name."""
    with suppress(InvalidShopId):
        shop_id = ShopId(shop)
        if shop_id in request.app.state.shops:
            return shop_id
    raise Problem(404, "There is no such shop")


async def floor_of(request: Request) -> Floor:
    """Give what the lifespan connected."""
    floor: Floor = request.app.state.floor
    return floor


async def visible_order(order_id: str, identity: any_identity, request: Request) -> Order:
    """Read an order that this token may see: its owner's, or any of the shop for staff."""
    floor: Floor = request.app.state.floor
    found = None
    if is_id(order_id):
        found = await _answered(floor.store.get(identity.shop_id, OrderId(order_id)))
    if found is None or not (identity.kind is Kind.STAFF or found.owner == identity.subject):
        # Who may not see an order must not learn that it exists.
        raise Problem(404, "There is no such order")
    return found


OpenFloor = Annotated[Floor, Depends(floor_of)]
VisibleOrder = Annotated[Order, Depends(visible_order)]
KnownShop = Annotated[ShopId, Depends(known_shop)]
OFFICE = Depends(staff("kitchen", "manager", "owner"))
Kitchen = Annotated[Identity, Depends(staff("kitchen", "manager"))]

router = APIRouter(prefix="/apis/orders/{shop}", dependencies=[Depends(known_shop)])


@router.post("/orders", status_code=201, response_model=OrderView)
async def place_order(
    wanted: Annotated[Asked, Depends(asked)],
    *,
    floor: OpenFloor,
    prefer: Annotated[str, Header()] = "",
) -> Response:
    """Place an order; with `Prefer: wait=10`, answer when its Pix code is there."""
    with refusing(wanted):
        placement = await floor.till.place(wanted.request)
    headers = {
        "Location": f"/apis/orders/{wanted.request.key.shop_id}/orders/{placement.claim.order_id}"
    }
    if placement.order is None:
        headers["Idempotent-Replayed"] = "true"
        return _json(placement.answer, status=201, headers=headers)
    answer = placement.answer
    wait = wait_of(prefer)
    if wait is not None:
        headers["Preference-Applied"] = "wait"
        settled = await floor.watch.until_settled(placement.order, limit=wait)
        answer = await _amended(floor, placement, settled=settled)
    return _json(answer, status=201, headers=headers)


@router.get("/orders/{order_id}", response_model=OrderView | StaffOrderView)
async def show_order(order: VisibleOrder, *, identity: any_identity, floor: OpenFloor) -> Response:
    """Show an order to its owner; staff also see what it refused."""
    if identity.kind is Kind.STAFF:
        return _json(StaffOrderView.of(order, now=floor.clock()).model_dump_json())
    return _json(floor.render(order))


@router.get("/orders/{order_id}/pix.svg", response_class=Response)
async def show_pix(order: VisibleOrder) -> Response:
    """Draw the Pix code as a QR code."""
    pix = order.payable_pix
    if pix is None:
        raise Problem(404, "There is no Pix code", detail=f"the order is {order.status}")
    drawing = await asyncio.to_thread(qr_code, pix.code)
    headers = {"Cache-Control": "private, max-age=300"}
    return Response(drawing, media_type="image/svg+xml", headers=headers)


@router.get("/board", response_model=BoardView, dependencies=[OFFICE])
async def show_board(shop: KnownShop, *, floor: OpenFloor) -> Response:
    """Show the kitchen what is ready, in preparation and received, oldest first."""
    orders = await _answered(floor.store.board(shop))
    return _json(BoardView.of(orders, now=floor.clock()).model_dump_json())


@router.get("/totals", dependencies=[OFFICE])
async def show_totals(shop: KnownShop, *, floor: OpenFloor) -> TotalsView:
    """Add up the orders of the shop."""
    return TotalsView.of(await _answered(floor.store.totals(shop)))


@router.get("/audit", dependencies=[Depends(staff("manager", "owner"))])
async def audit(shop: KnownShop, *, floor: OpenFloor) -> AuditView:
    """Show all orders and idempotency keys to an auditor."""
    return AuditView.of(await _answered(floor.store.audit(shop)))


@router.post("/orders/{order_id}/start", response_model=OrderView)
async def start(order_id: str, *, cook: Kitchen, floor: OpenFloor) -> Response:
    """Begin to prepare an order."""
    return await _advanced(order_id, cook=cook, step=Step.START, floor=floor)


@router.post("/orders/{order_id}/ready", response_model=OrderView)
async def ready(order_id: str, *, cook: Kitchen, floor: OpenFloor) -> Response:
    """Put an order on the counter."""
    return await _advanced(order_id, cook=cook, step=Step.MAKE_READY, floor=floor)


@router.post("/orders/{order_id}/complete", response_model=OrderView)
async def complete(order_id: str, *, cook: Kitchen, floor: OpenFloor) -> Response:
    """Hand an order over to its customer."""
    return await _advanced(order_id, cook=cook, step=Step.COMPLETE, floor=floor)


def build_app(shops: tuple[ShopId, ...], *, connect: Lifespan) -> FastAPI:
    """Make the app; `connect` sets `floor` and `verifier` on its state."""

    async def probe() -> None:
        await app.state.floor.store.ping()

    app = create_api("orders", probe=probe, lifespan=connect)
    app.state.shops = frozenset(shops)
    app.include_router(router)
    return app


def main() -> None:
    """Serve orders until SIGTERM."""
    configure_logging("orders-api")
    settings = read(OrdersApiSettings)
    identity = read(IdentitySettings)

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncIterator[None]:
        async with dynamodb_client() as client, sns_publisher(settings.topic_arn) as publisher:
            name = settings.orders_table
            units = DynamoUnits(client, table=name, publisher=publisher, clock=_utc_now)
            table = DynamoTable(client, name=name)
            store = DynamoOrderRepository(table, units=units)
            app.state.floor = Floor(store, desk=DynamoDesk(table), clock=_utc_now)
            app.state.verifier = verifier_from(identity)
            yield
            # What the relay cannot publish any more stays in the outbox for the worker's sweep.
            await units.drain()

    app = build_app(settings.shops, connect=connect)
    serve(app, host=settings.http_host, port=settings.http_port)


async def _amended(floor: Floor, placement: Placement, *, settled: Order) -> str:
    """Render what the customer waited for, and keep it as the answer for a repeat."""
    if settled is placement.order:
        return placement.answer
    answer = floor.render(settled)
    with suppress(StoreUnavailable):
        await floor.desk.amend(placement.claim, answer=answer)
    return answer


async def _advanced(order_id: str, *, cook: Identity, step: Step, floor: Floor) -> Response:
    try:
        if not is_id(order_id):
            raise OrderUnknown
        moving = advance(cook.shop_id, OrderId(order_id), step=step, orders=floor.store)
        return _json(floor.render(await _answered(moving)))
    except OrderUnknown as exc:
        raise Problem(404, "There is no such order") from exc
    except IllegalTransition as exc:
        raise Problem(409, "This step is not possible now", detail=str(exc)) from exc


async def _answered(work: Awaitable[T]) -> T:
    try:
        return await work
    except RetryLater as exc:
        raise unavailable("the store of orders is out of reach") from exc


def _json(body: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    # An order changes any moment, and is its owner's alone.
    fresh = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status_code=status, media_type=_JSON, headers=fresh)


def _utc_now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
