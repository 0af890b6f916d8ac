"""The JSON in which the API shows orders."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from comanda.events import Line
from workers.orders.feed import Totals
from workers.orders.load import Estimate
from workers.orders.model import BOARD, Order, OrderStatus, Refusal, Service
from workers.orders.notices import WORDINGS, Notice, NoticeKind

LABELS = {
    OrderStatus.PENDING_PAYMENT: "Aguardando pagamento",
    OrderStatus.RECEIVED: "Recebido",
    OrderStatus.IN_PREPARATION: "Em preparação",
    OrderStatus.READY: "Pronto",
    OrderStatus.COMPLETED: "Finalizado",
    OrderStatus.PAYMENT_FAILED: "Pagamento não realizado",
    OrderStatus.CANCELLED: "Cancelado",
}


HINTS = {
    OrderStatus.PENDING_PAYMENT: "Pague o Pix para o pedido ir para a cozinha.",
    OrderStatus.RECEIVED: "Pagamento confirmado. A cozinha já tem o seu pedido.",
    OrderStatus.IN_PREPARATION: "Seu pedido está sendo preparado.",
    OrderStatus.READY: "Seu pedido está pronto. Retire no balcão.",
    OrderStatus.COMPLETED: "Bom apetite!",
    OrderStatus.PAYMENT_FAILED: "Nada será preparado. Faça um novo pedido quando quiser.",
    OrderStatus.CANCELLED: "O pedido foi cancelado. Se você já pagou, o valor volta sozinho.",
}
NO_CODE_YET = (
    "Seu pedido foi anotado. O código Pix ainda não está pronto e aparece aqui assim que estiver."
)


def hint_of(order: Order) -> str:
    """Say in Portuguese what the customer can expect or do now."""
    return NO_CODE_YET if order.is_awaited else HINTS[order.status]


class OptionView(BaseModel):
    """What was chosen for a line; its price is contained in the line's."""

    group_id: str
    option_id: str
    name: str
    price: str


class LineView(BaseModel):
    """One line of an order; `unit_price` contains the options."""

    product_id: str
    name: str
    quantity: int
    unit_price: str
    options: list[OptionView]
    notes: str

    @classmethod
    def of(cls, line: Line) -> Self:
        """Show a line."""
        return cls(
            product_id=line.product_id,
            name=line.name,
            quantity=line.quantity,
            unit_price=str(line.unit_price),
            options=[
                OptionView(
                    group_id=o.group_id, option_id=o.option_id, name=o.name, price=str(o.price)
                )
                for o in line.options
            ],
            notes=line.notes,
        )


class PixView(BaseModel):
    """The copy-and-paste code, payable until then."""

    code: str
    expires_at: datetime


class PassageView(BaseModel):
    """When an order came to a status."""

    status: OrderStatus
    at: datetime


class NoticeView(BaseModel):
    """Something that the customer was told, in Portuguese."""

    kind: NoticeKind
    title: str
    text: str
    at: datetime

    @classmethod
    def of(cls, notice: Notice, *, order: Order) -> Self:
        """Show a notice as it is worded for this order."""
        is_refund = notice.kind is NoticeKind.REFUNDED
        amount = str(order.refunded if is_refund else order.total).replace(".", ",")
        wording = WORDINGS[notice.kind]
        values = {"number": order.call_number, "amount": amount}
        return cls(
            kind=notice.kind,
            title=wording.subject.format(**values),
            text=wording.text.format(**values),
            at=notice.at,
        )


class OrderView(BaseModel):
    """An order as its customer sees it; amounts are reais as text."""

    id: str
    shop_id: str
    call_number: int
    status: OrderStatus
    status_label: str
    hint: str
    service: Service
    name: str
    total: str
    lines: list[LineView]
    pix: PixView | None
    reason: str | None
    placed_at: datetime
    paid_at: datetime | None
    waiting_seconds: int
    history: list[PassageView]
    notices: list[NoticeView]
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
            hint=hint_of(order),
            service=order.service,
            name=order.name,
            total=str(order.total),
            lines=[LineView.of(line) for line in order.lines],
            pix=PixView(code=pix.code, expires_at=pix.expires_at) if pix else None,
            reason=order.reason,
            placed_at=order.placed_at,
            paid_at=order.paid_at,
            waiting_seconds=int(order.waiting(now=now).total_seconds()),
            history=[PassageView(status=p.status, at=p.at) for p in order.history],
            notices=[NoticeView.of(notice, order=order) for notice in order.notices],
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


class HandView(BaseModel):
    """Who moved an order by hand, when, and what they noted."""

    status: OrderStatus
    at: datetime
    by: str
    note: str | None


class StaffOrderView(OrderView):
    """An order as staff see it: with what it refused, who moved it and what went back."""

    refunded: str
    customer_id: str | None
    moved_by_hand: list[HandView]
    held: str | None
    refused_transitions: list[RefusalView]

    @classmethod
    def of(cls, order: Order, *, now: datetime) -> Self:
        """Show an order to staff."""
        shown = OrderView.of(order, now=now).model_dump()
        return cls(
            **shown,
            refunded=str(order.refunded),
            customer_id=order.customer_id,
            held=order.held,
            moved_by_hand=[
                HandView(status=p.status, at=p.at, by=p.by, note=p.note)
                for p in order.history
                if p.by is not None
            ],
            refused_transitions=[RefusalView.of(refusal) for refusal in order.refusals],
        )


class BoardView(BaseModel):
    """What the kitchen sees: ready, then in preparation, then received, oldest first."""

    orders: list[OrderView]

    @classmethod
    def of(cls, orders: list[Order], *, now: datetime) -> Self:
        """Show a board; a status that does not belong there is left out."""
        return cls(orders=[OrderView.of(o, now=now) for o in orders if o.status in BOARD])


class OrdersView(BaseModel):
    """A page of orders; with a `cursor` there may be more."""

    orders: list[OrderView]
    cursor: str | None

    @classmethod
    def of(cls, orders: list[Order], *, now: datetime, cursor: str | None) -> Self:
        """Show a page."""
        return cls(orders=[OrderView.of(o, now=now) for o in orders], cursor=cursor)


class EstimateView(BaseModel):
    """How long a new order will take; unknown while too few were made ready of late."""

    wait_seconds: int | None
    orders_ahead: int
    made_ready_lately: int

    @classmethod
    def of(cls, estimate: Estimate) -> Self:
        """Show an estimate."""
        wait = estimate.wait
        return cls(
            wait_seconds=None if wait is None else int(wait.total_seconds()),
            orders_ahead=estimate.ahead,
            made_ready_lately=estimate.made_ready,
        )


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
