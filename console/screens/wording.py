"""How values are written for people in Brazil."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comanda.money import Money

STATUSES: Mapping[str, str] = {
    "PENDING_PAYMENT": "Aguardando pagamento",
    "RECEIVED": "Recebido",
    "IN_PREPARATION": "Em preparação",
    "READY": "Pronto",
    "COMPLETED": "Finalizado",
    "PAYMENT_FAILED": "Pagamento não realizado",
    "CANCELLED": "Cancelado",
}
SERVICES: Mapping[str, str] = {"dine_in": "Comer aqui", "takeaway": "Para levar"}
REASONS: Mapping[str, str] = {
    "customer_asked": "O cliente pediu",
    "out_of_stock": "Produto esgotado",
    "kitchen_problem": "Problema na cozinha",
    "closing": "A loja fechou",
    "mistake": "Engano no pedido",
    "cancelled_by_customer": "Cancelado pelo cliente",
    "refunded": "Dinheiro devolvido",
    "expired": "O código Pix venceu",
}
# The order in which a customer builds an order; what else the catalog may name comes after.
SHELVES: Mapping[str, str] = {
    "MEAL": "Lanches",
    "SIDE": "Acompanhamentos",
    "DRINK": "Bebidas",
    "DESSERT": "Sobremesas",
}


def zone() -> tzinfo:
    """Give the clock on the wall of every shop."""
    try:
        return ZoneInfo("America/Sao_Paulo")
    except ZoneInfoNotFoundError:
        # A machine without the zone database: Decree 9,772 of 2019 ended Brazil's summer time.
        return timezone(timedelta(hours=-3))


def brl(amount: str | Money) -> str:
    """Write an amount as `R$ 1.234,56`; the space does not break."""
    money = amount if isinstance(amount, Money) else Money.parse(amount)
    reais = f"{money.cents // 100:,}".replace(",", ".")
    return f"R$\u00a0{reais},{money.cents % 100:02d}"


def at(value: str | datetime | None, form: str = "%d/%m %H:%M") -> str:
    """Write an instant as the shop's clock shows it."""
    if value is None:
        return "–"
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return instant.astimezone(zone()).strftime(form)


def duration(seconds: float) -> str:
    """Write how long something took: `45 s`, `12 min`, `1 h 05`."""
    minutes = int(seconds) // 60
    if minutes < 1:
        return f"{int(seconds)} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d}"


def shop_name(shop: str) -> str:
    """Write a shop's id as a name: `lanchonete-da-ana` is Lanchonete da Ana."""
    small = {"da", "de", "do", "das", "dos", "e"}
    return " ".join(w if w in small else w.capitalize() for w in shop.split("-"))


def reason(word: str | None) -> str:
    """Say why an order ended."""
    return REASONS.get(word or "", word or "")


def by_shelf(products: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, list[Any]]]:
    """Put products on their shelves: id, name and products of each that is not empty."""
    shelves: dict[str, list[Any]] = {}
    for product in products:
        shelves.setdefault(str(product["category"]), []).append(product)
    known = [s for s in SHELVES if s in shelves] + sorted(set(shelves) - set(SHELVES))
    return [(shelf, SHELVES.get(shelf, shelf.title()), shelves[shelf]) for shelf in known]


CHARGES: Mapping[str, str] = {
    "CREATING": "Criando",
    "WAITING": "Aguardando",
    "PAID": "Pago",
    "REFUSED": "Recusado pelo Mercado Pago",
    "UNKNOWN": "Sem resposta do Mercado Pago",
    "EXPIRED": "Vencido",
    "CANCELLED": "Cancelado",
    "REJECTED": "Rejeitado",
    "REVIEW": "Em conferência",
    "PAID_LATE": "Pago fora do prazo",
    "REFUNDING": "Devolvendo",
    "PARTIALLY_REFUNDED": "Devolvido em parte",
    "REFUNDED": "Devolvido",
    "DISPUTED": "Em disputa",
    "CHARGED_BACK": "Estornado",
}
CASES: Mapping[str, str] = {
    "amount_mismatch": "O valor recebido é outro",
    "currency_mismatch": "A moeda é outra",
    "reference_mismatch": "A referência é de outro pedido",
    "receiver_mismatch": "O recebedor é outro",
    "method_mismatch": "A forma de pagamento é outra",
    "second_provider_order": "Duas cobranças para um pedido",
    "second_payment": "Pago duas vezes",
    "key_reused": "Chave de pagamento repetida",
    "paid_late": "Pago depois do prazo",
    "paid_and_cancelled": "Pago e cancelado",
    "paid_and_unknown": "Pago, e a cobrança é desconhecida",
    "refund_failed": "A devolução falhou",
    "refund_stuck": "A devolução não termina",
    "cancel_stuck": "O cancelamento não termina",
    "disputed": "O cliente contestou",
    "charged_back": "O dinheiro foi estornado",
    "claim": "Reclamação no Mercado Pago",
    "fraud_alert": "Alerta de fraude",
    "unrecognised_status": "Situação desconhecida",
    "lost_by_provider": "O Mercado Pago não encontra",
}
ENTRIES: Mapping[str, str] = {
    "charged": "Recebido",
    "fee": "Tarifa",
    "refunded": "Devolvido",
    "disputed": "Contestado",
    "regained": "Recuperado",
}
ATTEMPTS: Mapping[str, str] = {
    "PLANNED": "Planejada",
    "SENT": "Enviada",
    "IN_PROCESS": "Em andamento",
    "DONE": "Feita",
    "FAILED": "Falhou",
}
WEEKDAYS = ("Segunda", "Terça", "Quarta", "Quinta", "Sexta", "Sábado", "Domingo")
# What a page says after something was done; only these words are ever shown.
NOTICES: Mapping[str, str] = {
    "cancelado": "Pedido cancelado. O que foi pago volta para o cliente por si só.",
    "devolvido": "Devolução registrada. Ela segue para o Mercado Pago e aparece abaixo.",
    "conferindo": "Perguntamos ao Mercado Pago; a resposta aparece em segundos. Atualize a página.",
    "resolvido": "Caso encerrado.",
    "cardapio": "Cardápio atualizado.",
    "horarios": "Horários guardados.",
    "convidado": "Convite enviado por e-mail, com a primeira senha.",
    "pessoa": "Acesso guardado.",
    "cpf": "Se alguém tinha este CPF na conta, não tem mais.",
    "aplicativo": "Aplicativo ligado: o código dele é pedido a cada entrada.",
    "ocupado": "Não foi aceito: o usuário já existe, ou é você.",
    "mudou": "Isso não é mais possível: já mudou. Veja como está agora.",
    "recusado": "Não foi aceito. Confira o que foi digitado.",
}
