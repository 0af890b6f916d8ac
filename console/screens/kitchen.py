"""The kitchen's board and the screen that calls numbers."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import HTMLResponse, Response

from comanda.ids import is_id
from console.screens.contexts import Call, Context, Refused
from console.screens.doors import COOKS, AnyStaff, Cook, NotHere, OpenDesk
from console.screens.rendering import page, render
from console.screens.stream import follow, streamed

router = APIRouter()
BOARD, CALLS = "board_columns.html", "calls_columns.html"
# What undoes a step, and how it is called.
_UNDO = {"start": "undo-start", "ready": "recall", "complete": "undo-complete"}
_DONE = {
    "start": "começou",
    "ready": "está pronta",
    "complete": "foi entregue",
    "undo-start": "voltou para a fila",
    "recall": "voltou para a cozinha",
    "undo-complete": "voltou para o balcão",
}
LastEventId = Annotated[str, Header(alias="Last-Event-ID", max_length=40)]


@router.get("/cozinha")
async def show_board(session: AnyStaff, desk: OpenDesk) -> Response:
    """Show the board as it is now; the stream goes on from there."""
    frame = await desk.boards.of(session.shop).look(session.access_token)
    return page(
        "board.html", session=session, is_cook=session.may(*COOKS), columns=frame.show(BOARD)
    )


@router.get("/cozinha/aovivo")
async def stream_board(session: AnyStaff, desk: OpenDesk, last: LastEventId = "") -> Response:
    """Send the board with each change."""
    board = desk.boards.of(session.shop)
    return streamed(
        follow(board, BOARD, token=session.access_token, seen=last), stopping=desk.stopping
    )


@router.get("/senhas")
async def show_calls(session: AnyStaff, desk: OpenDesk) -> Response:
    """Show customers which numbers are being made and which are ready."""
    frame = await desk.boards.of(session.shop).look(session.access_token)
    return page("calls.html", session=session, columns=frame.show(CALLS))


@router.get("/senhas/aovivo")
async def stream_calls(session: AnyStaff, desk: OpenDesk, last: LastEventId = "") -> Response:
    """Send the numbers with each change."""
    board = desk.boards.of(session.shop)
    return streamed(
        follow(board, CALLS, token=session.access_token, seen=last), stopping=desk.stopping
    )


@router.post("/cozinha/pedidos/{order_id}/{step}")
async def take_step(order_id: str, step: str, *, cook: Cook, desk: OpenDesk) -> Response:
    """Take a step of the kitchen; answer with what happened, and how to take it back."""
    if step not in _DONE or not is_id(order_id):
        raise NotHere
    call = Call(
        method="POST",
        context=Context.ORDERS,
        shop=cook.shop,
        path=f"/orders/{order_id}/{step}",
        token=cook.access_token,
    )
    board = desk.boards.of(cook.shop)
    try:
        order = await desk.contexts.read(call)
    except Refused as exc:
        if exc.status not in (404, 409):
            raise
        board.poke()
        refused = render("toast.html", text="Esse pedido já mudou; veja o quadro.", undo=None)
        return HTMLResponse(refused, status_code=409)
    board.poke()
    # The card moves on this board before the message says so.
    await asyncio.sleep(0)
    undo = f"/loja/{cook.shop}/cozinha/pedidos/{order_id}/{_UNDO[step]}" if step in _UNDO else None
    text = f"Senha {order['call_number']} {_DONE[step]}."
    return HTMLResponse(render("toast.html", text=text, undo=undo))
