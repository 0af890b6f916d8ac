"""What a customer is told of an order: once of each kind, in Portuguese, with what to do next."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NoticeKind(StrEnum):
    """Why somebody is told."""

    PAID = "paid"
    NOT_PAID = "not_paid"
    CANCELLED = "cancelled"
    READY = "ready"
    REFUNDED = "refunded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """That the customer was told, and when."""

    kind: NoticeKind
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """How a notice reads; `{number}` is the call number and `{amount}` an amount of reais."""

    subject: str
    text: str


WORDINGS = {
    NoticeKind.PAID: Wording(
        subject="Pedido {number}: pagamento confirmado",
        text="Recebemos seu Pix de R$ {amount}. O pedido {number} foi para a cozinha.",
    ),
    NoticeKind.NOT_PAID: Wording(
        subject="Pedido {number}: pagamento não realizado",
        text=(
            "O Pix do pedido {number} não foi pago a tempo ou foi recusado, e nada será preparado."
            " Faça um novo pedido; se o valor saiu da sua conta, ele volta sozinho."
        ),
    ),
    NoticeKind.CANCELLED: Wording(
        subject="Pedido {number}: cancelado",
        text=(
            "O pedido {number} foi cancelado. Se você já pagou, o valor volta para a mesma conta"
            " do Pix; não é preciso fazer nada."
        ),
    ),
    NoticeKind.READY: Wording(
        subject="Pedido {number}: pronto",
        text="O pedido {number} está pronto. Retire no balcão.",
    ),
    NoticeKind.REFUNDED: Wording(
        subject="Pedido {number}: valor devolvido",
        text="Devolvemos R$ {amount} do pedido {number} para a conta de onde veio o Pix.",
    ),
}
