"""The JSON that the API of orders takes and shows."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from workers.orders.lines import MOST_LINES, MOST_OF_ONE
from workers.orders.model import BOARD, Order, OrderStatus, Refusal
from workers.orders.ports import Totals

LABELS = {
    OrderStatus.PENDING_PAYMENT: "Aguardando pagamento",
    OrderStatus.RECEIVED: "Recebido",
    OrderStatus.IN_PREPARATION: "Em preparação",
    OrderStatus.READY: "Pronto",
    OrderStatus.COMPLETED: "Finalizado",
    OrderStatus.PAYMENT_FAILED: "Pagamento não realizado",
    OrderStatus.CANCELLED: "Cancelado",
}


class LineBody(BaseModel):
    """So many of one product; `"3"`, `3.0` and `true` are no numbers here."""

    model_config = ConfigDict(strict=True, extra="forbid")

    product_id: Annotated[str, Field(min_length=1, max_length=64)]
    quantity: Annotated[int, Field(ge=1, le=MOST_OF_ONE)]


class OrderBody(BaseModel):
    """What a customer wants; the prices are ours."""

    model_config = ConfigDict(strict=True, extra="forbid")

    lines: Annotated[list[LineBody], Field(min_length=1, max_length=MOST_LINES)]


class LineView(BaseModel):
    """One line of an order."""

    product_id: str
    name: str
    quantity: int
    unit_price: str


class PixView(BaseModel):
    """The copy-and-paste code, payable until then."""

    code: str
    expires_at: datetime


class PassageView(BaseModel):
    """When an order came to a status."""

    status: OrderStatus
    at: datetime


class OrderView(BaseModel):
    """An order as its customer sees it; amounts are reais as text."""

    id: str
    shop_id: str
    call_number: int
    status: OrderStatus
    status_label: str
    total: str
    lines: list[LineView]
    pix: PixView | None
    reason: str | None
    placed_at: datetime
    paid_at: datetime | None
    waiting_seconds: int
    history: list[PassageView]
    version: int

    @classmethod
    def of(cls, order: Order, *, now: datetime) -> Self:
        """Show an order."""
        pix = order.payable_pix
        return cls(
            id=order.id,
            shop_id=str(order.shop_id),
            call_number=order.call_number,
            status=order.status,
            status_label=LABELS[order.status],
            total=str(order.total),
            lines=[
                LineView(
                    product_id=line.product_id,
                    name=line.name,
                    quantity=line.quantity,
                    unit_price=str(line.unit_price),
                )
                for line in order.lines
            ],
            pix=PixView(code=pix.code, expires_at=pix.expires_at) if pix else None,
            reason=order.reason,
            placed_at=order.placed_at,
            paid_at=order.paid_at,
            waiting_seconds=int(order.waiting(now=now).total_seconds()),
            history=[PassageView(status=p.status, at=p.at) for p in order.history],
            version=order.version,
        )


class RefusalView(BaseModel):
    """A fact that the order did not follow."""

    event_id: str
    event_type: str
    name: str
    detail: str
    status: OrderStatus
    at: datetime

    @classmethod
    def of(cls, refusal: Refusal) -> Self:
        """Show a refusal."""
        return cls(
            event_id=refusal.event_id,
            event_type=refusal.event_type,
            name=refusal.name,
            detail=refusal.detail,
            status=refusal.status,
            at=refusal.at,
        )


class StaffOrderView(OrderView):
    """An order as staff see it: with what it refused and what went back."""

    refunded: str
    held: str | None
    refused_transitions: list[RefusalView]

    @classmethod
    def of(cls, order: Order, *, now: datetime) -> Self:
        """Show an order to staff."""
        shown = OrderView.of(order, now=now).model_dump()
        refusals = [RefusalView.of(refusal) for refusal in order.refusals]
        return cls(
            **shown, refunded=str(order.refunded), held=order.held, refused_transitions=refusals
        )


class BoardView(BaseModel):
    """What the kitchen sees: ready, then in preparation, then received, oldest first."""

    orders: list[OrderView]

    @classmethod
    def of(cls, orders: list[Order], *, now: datetime) -> Self:
        """Show a board; a status that does not belong there is left out."""
        return cls(orders=[OrderView.of(o, now=now) for o in orders if o.status in BOARD])


class TotalsView(BaseModel):
    """What the orders of a shop add up to."""

    orders: int
    by_status: dict[str, int]
    paid_total: str
    refused_transitions: int

    @classmethod
    def of(cls, totals: Totals) -> Self:
        """Show totals; every status is there, also with none."""
        return cls(
            orders=sum(totals.by_status.values()),
            by_status={status.value: totals.by_status.get(status, 0) for status in OrderStatus},
            paid_total=str(totals.paid_total),
            refused_transitions=totals.refused_transitions,
        )
