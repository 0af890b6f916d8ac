"""The closing of a day: sold, received, returned, what differs and why; as a page and a sheet."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from console.closing.closing import Closing, Why, close
from console.closing.reading import read_papers
from console.closing.sheet import sheet
from console.screens.contexts import Call, Context, Refused
from console.screens.doors import Desk, Office, OpenDesk
from console.screens.rendering import page
from console.screens.sessions import Session
from console.screens.wording import CHARGES, STATUSES, zone

router = APIRouter()
WHYS: Mapping[Why, str] = {
    Why.PAID_WITHOUT_MONEY: "O pedido está pago, e no livro não há dinheiro dele",
    Why.MONEY_WITHOUT_SALE: "Ficou dinheiro de um pedido que não foi vendido",
    Why.TOO_MUCH: "Ficou mais do que o pedido vale: pago duas vezes, ou com outro valor",
    Why.TOO_LITTLE: "Voltou mais do que o pedido sabe",
    Why.NO_ORDER: "Chegou dinheiro, e o pedido não existe",
}
Day = Annotated[str, Query(max_length=10)]
_EARLIEST, _LATEST = date(2000, 1, 2), date(2999, 12, 30)


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeBooks:
    """The contexts, asked with the token of whoever looks."""

    desk: Desk
    office: Session

    async def read(self, context: str, path: str, query: dict[str, str]) -> Any:
        """Read a resource of the shop; raise `Refused` or `OutOfReach`."""
        call = Call(
            method="GET",
            context=Context(context),
            shop=self.office.shop,
            path=path,
            token=self.office.access_token,
            query=query,
        )
        return await self.desk.contexts.read(call)

    async def has_order(self, order_id: str) -> bool:
        """Tell whether orders knows an order; raise `Refused` or `OutOfReach`."""
        try:
            await self.read("orders", f"/orders/{order_id}", {})
        except Refused as exc:
            if exc.status == 404:
                return False
            raise
        return True


@router.get("/fechamento")
async def show(office: Office, desk: OpenDesk, dia: Day = "") -> Response:
    """Show a day, closed as far as it is known."""
    closing = await _closed(desk, office, dia)
    day = closing.day.day
    return page(
        "closing.html",
        session=office,
        closing=closing,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        busiest=max((each.count for each in closing.hours), default=0),
        whys=WHYS,
    )


@router.get("/fechamento/planilha.csv")
async def download(office: Office, desk: OpenDesk, dia: Day = "") -> Response:
    """Give a day as a sheet."""
    closing = await _closed(desk, office, dia)
    content = sheet(closing, statuses=STATUSES, charges=CHARGES)
    name = f"fechamento-{office.shop}-{closing.day.day.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


async def _closed(desk: Desk, office: Session, typed: str) -> Closing:
    day = None
    # What is no day is today.
    with suppress(ValueError):
        day = date.fromisoformat(typed)
    if day is not None and not _EARLIEST <= day <= _LATEST:
        day = None
    papers = await read_papers(OfficeBooks(desk=desk, office=office), day=day)
    # A day of thousands of orders must not stop the boards of the shops next door.
    return await asyncio.to_thread(close, papers, zone=zone())
