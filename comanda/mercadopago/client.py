"""Open both APIs of Mercado Pago for one account, over one pool of connections and one budget."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from comanda.mercadopago.api import ProviderAPI
from comanda.mercadopago.budget import CallBudget
from comanda.mercadopago.orders_api import OrdersAPI
from comanda.mercadopago.payments_api import PaymentsAPI
from comanda.mercadopago.retries import Verb
from comanda.mercadopago.transport import Transport
from comanda.mercadopago.values import Flavour

CALLS_A_SECOND, SEARCHES_A_SECOND = 400.0, 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Calls a second for one account; Mercado Pago publishes no numbers, so these are ours."""

    calls: float = CALLS_A_SECOND
    searches: float = SEARCHES_A_SECOND


def open_apis(
    base_url: str,
    access_token: str,
    *,
    rates: Rates | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Mapping[Flavour, ProviderAPI]:
    """Give both APIs of an account; they share its pool and its budget."""
    transport = Transport(base_url, access_token, budgets=_budgets(rates or Rates()), sleep=sleep)
    orders: ProviderAPI = OrdersAPI(transport)
    return MappingProxyType({Flavour.ORDERS: orders, Flavour.PAYMENTS: PaymentsAPI(transport)})


def _budgets(rates: Rates) -> Mapping[Verb, CallBudget]:
    calls = CallBudget(rate=rates.calls, burst=max(1.0, 2 * rates.calls))
    searches = CallBudget(rate=rates.searches, burst=max(1.0, rates.searches))
    return {Verb.READ: calls, Verb.WRITE: calls, Verb.SEARCH: searches}
