"""What managers and owners say of their shop, and the menu as a sheet."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import Headers

from workers.catalog.bodies import ShopBody, SwitchBody
from workers.catalog.doors import (
    Manager,
    Reader,
    Store,
    WantedVersion,
    answered,
    body_of,
    problems,
    refusing,
    tagged,
)
from workers.catalog.importing import import_sheet
from workers.catalog.opening import change_shop
from workers.catalog.sheet import written
from workers.catalog.shop import ShopRules
from workers.catalog.views import FaultView, OutcomeView, RulesView
from workers.runtime.http import KnownShop, Problem

LARGEST_SHEET = 1024 * 1024
# What spreadsheets in Brazil write, besides UTF-8.
_CHARSETS = ("utf-8", "windows-1252", "iso-8859-1")

router = APIRouter(prefix="/apis/catalog/{shop}", responses=problems(400, 401, 403, 404, 422, 503))


@router.put("/shop", responses=problems(412, 428))
async def decide(
    shop: KnownShop,
    body: ShopBody,
    _: Manager,
    *,
    version: WantedVersion,
    catalog: Store,
    response: Response,
) -> RulesView:
    """Set hours, switch and bounds of the shop."""

    def decided(found: ShopRules) -> ShopRules:
        return replace(
            found,
            hours=tuple(stretch.value() for stretch in body.hours),
            switch=body.switch,
            most_in_flight=body.most_in_flight,
            day_begins_at=body.day_begins_at,
        )

    async with refusing():
        changed = await change_shop(shop, decided, catalog=catalog, version=version)
    response.headers.update(tagged(changed.version))
    return RulesView.of(changed)


@router.put("/shop/switch")
async def switch(
    shop: KnownShop, body: SwitchBody, _: Manager, *, catalog: Store, response: Response
) -> RulesView:
    """Open or close the shop whatever its hours say, or let it follow them again."""
    async with refusing():
        changed = await change_shop(
            shop, lambda found: replace(found, switch=body.switch), catalog=catalog
        )
    response.headers.update(tagged(changed.version))
    return RulesView.of(changed)


@router.get(
    "/menu.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def export(shop: KnownShop, _: Manager, *, reader: Reader) -> Response:
    """Give the menu as a sheet that can be edited and imported again."""
    text = written(await answered(reader.menu(shop)))
    headers = {
        "Content-Disposition": f'attachment; filename="menu-{shop}.csv"',
        "Cache-Control": "no-store",
    }
    return Response(text.encode(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post(
    "/menu.csv",
    responses=problems(413, 415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "nome;categoria;preço\nX-Salada;Lanche;24,90\n",
                }
            },
        }
    },
)
async def import_menu(
    shop: KnownShop,
    who: Manager,
    *,
    catalog: Store,
    request: Request,
    is_dry_run: Annotated[bool, Query()] = False,
) -> OutcomeView:
    """Make a sheet the menu, all rows or none; a dry run only tells what would happen."""
    text = _text(await body_of(request, limit=LARGEST_SHEET), request.headers)
    async with refusing():
        outcome = await import_sheet(
            text, shop_id=shop, catalog=catalog, author=who.subject, is_dry_run=is_dry_run
        )
    if outcome.faults and not is_dry_run:
        errors = [
            {"field": f"row {fault.row}: {fault.field}", "message": fault.message}
            for fault in outcome.faults
        ]
        detail = "nothing was imported; see errors"
        raise Problem(422, "The sheet has faults", detail=detail, errors=errors)
    faults = [
        FaultView(row=fault.row, field=fault.field, message=fault.message)
        for fault in outcome.faults
    ]
    return OutcomeView(
        is_dry_run=is_dry_run,
        added=outcome.added,
        changed=outcome.changed,
        unchanged=outcome.unchanged,
        faults=faults,
    )


def _text(body: bytes, headers: Headers) -> str:
    media_type, _, rest = headers.get("content-type", "").lower().partition(";")
    charset = rest.strip().removeprefix("charset=").strip('"') or "utf-8"
    if media_type.strip() != "text/csv" or charset not in _CHARSETS:
        raise Problem(415, "Not a sheet", detail=f"text/csv in one of {', '.join(_CHARSETS)}")
    try:
        return body.decode(charset)
    except UnicodeDecodeError as exc:
        raise Problem(400, "Malformed body", detail=f"the sheet is not {charset}") from exc
