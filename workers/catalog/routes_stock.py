"""The stock over HTTP: where it is, how it came there, deliveries and corrections."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from comanda.ids import OrderId
from workers.catalog.bodies import CorrectionBody, DeliveryBody
from workers.catalog.doors import (
    Crew,
    Manager,
    NamedProduct,
    Reader,
    Store,
    WorkKey,
    answered,
    problems,
    refusing,
)
from workers.catalog.model import Correction, Delivery
from workers.catalog.storeroom import correct_stock, receive_stock
from workers.catalog.views_stock import (
    CountedView,
    LevelView,
    MovesView,
    MoveView,
    RecomputationView,
    RecomputedView,
    RefusalsView,
    RefusalView,
    ReservationsView,
    ReservationView,
    StockAuditsView,
    StockAuditView,
    StockView,
)
from workers.runtime.http import KnownShop

router = APIRouter(prefix="/apis/catalog/{shop}", responses=problems(401, 403, 404, 422, 503))


_COUNTING: dict[int | str, dict[str, Any]] = {
    200: {"model": CountedView, "description": "It was counted before"},
    **problems(400, 409),
}


@router.get("/stock")
async def stock(shop: KnownShop, _: Crew, *, reader: Reader) -> StockView:
    """Show where the stock of each product is."""
    levels = await answered(reader.levels(shop))
    return StockView(levels=[LevelView.of(level) for level in levels])


@router.get("/stock/{product_id}/ledger")
async def ledger(
    shop: KnownShop,
    product_id: NamedProduct,
    _: Manager,
    *,
    reader: Reader,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> MovesView:
    """Show all that happened to a product's stock, oldest first, behind the line `after`."""
    moves = await answered(reader.moves(shop, product_id, after=after, limit=limit))
    return MovesView(moves=[MoveView(**asdict(move)) for move in moves])


@router.post("/stock/{product_id}/deliveries", status_code=201, responses=_COUNTING)
async def receive(
    shop: KnownShop,
    product_id: NamedProduct,
    body: DeliveryBody,
    who: Manager,
    *,
    key: WorkKey,
    catalog: Store,
    response: Response,
) -> CountedView:
    """Count a delivery in; the `Idempotency-Key` names it, so it counts once (200 when again)."""
    delivery = Delivery(
        id=key, shop_id=shop, product_id=product_id, quantity=body.quantity, author=who.subject
    )
    async with refusing():
        is_new = await receive_stock(delivery, catalog=catalog)
    response.status_code = 201 if is_new else 200
    return CountedView(is_new=is_new)


@router.post("/stock/{product_id}/corrections", status_code=201, responses=_COUNTING)
async def correct(
    shop: KnownShop,
    product_id: NamedProduct,
    body: CorrectionBody,
    who: Manager,
    *,
    key: WorkKey,
    catalog: Store,
    response: Response,
) -> CountedView:
    """Put right what the books say; who and why stand in the ledger (200 when again)."""
    correction = Correction(
        id=key,
        shop_id=shop,
        product_id=product_id,
        change=body.change,
        author=who.subject,
        reason=body.reason.strip(),
    )
    async with refusing():
        is_new = await correct_stock(correction, catalog=catalog)
    response.status_code = 201 if is_new else 200
    return CountedView(is_new=is_new)


@router.get("/audit")
async def audit(shop: KnownShop, _: Manager, *, reader: Reader) -> StockAuditsView:
    """Show an auditor the stock beside what it should be."""
    found = await answered(reader.audit(shop))
    return StockAuditsView(levels=[StockAuditView.of(each) for each in found])


@router.get("/audit/ledger")
async def recompute(shop: KnownShop, _: Manager, *, reader: Reader) -> RecomputationView:
    """Show an auditor the stock beside what its ledger makes of it."""
    found = await answered(reader.audit(shop))
    return RecomputationView(levels=[RecomputedView.of(each) for each in found])


@router.get("/audit/reservations")
async def reservations(
    shop: KnownShop,
    _: Manager,
    *,
    reader: Reader,
    after: Annotated[str, Query(max_length=64, pattern=r"^[\w-]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> ReservationsView:
    """Show an auditor what is set aside for which order, page by page."""
    begin = OrderId(after) if after else None
    found = await answered(reader.reservations(shop, after=begin, limit=limit))
    return ReservationsView(
        reservations=[ReservationView.of(each) for each in found],
        next=found[-1].order_id if len(found) == limit else None,
    )


@router.get("/refused-transitions")
async def refused_transitions(
    shop: KnownShop,
    _: Manager,
    *,
    reader: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> RefusalsView:
    """Show the newest steps that reservations refused."""
    refusals = await answered(reader.refusals(shop, limit=limit))
    return RefusalsView(refused_transitions=[RefusalView.of(refusal) for refusal in refusals])
