"""Mercado Pago as our provider: one pooled client per shop, calls in threads, facts out."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import TypeVar

from comanda.ids import ChargeId, ShopId
from comanda.mercadopago.client import (
    MercadoPagoClient,
    MercadoPagoRefused,
    MercadoPagoUnauthorized,
    MercadoPagoUnavailable,
    OrderNotFound,
)
from comanda.mercadopago.payloads import ProviderOrder, pix_request
from comanda.money import InvalidMoney, Money
from workers.payments.credentials import Credentials, ShopCredentials
from workers.payments.model import Charge, ProviderFact, ProviderStatus
from workers.payments.ports import (
    Prepared,
    ProviderKeyReused,
    ProviderRefused,
    ProviderUnavailable,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

# As many calls as may be under way at once; more wait here, and the provider sees no burst.
CONCURRENCY = 32
# Nobody documents how long the provider remembers a key, so an old one is looked up before it is
# sent again.
KEY_TRUSTED_FOR = timedelta(hours=1)

_STATUSES = {
    "created": ProviderStatus.PROCESSING,
    "processing": ProviderStatus.PROCESSING,
    "in_review": ProviderStatus.PROCESSING,
    "action_required": ProviderStatus.WAITING,
    "failed": ProviderStatus.REJECTED,
    "canceled": ProviderStatus.CANCELLED,
    "cancelled": ProviderStatus.CANCELLED,
    "expired": ProviderStatus.EXPIRED,
    "refunded": ProviderStatus.REFUNDED,
    "in_mediation": ProviderStatus.DISPUTED,
    "charged_back": ProviderStatus.CHARGED_BACK,
}
_PROCESSED = {
    "accredited": ProviderStatus.PAID,
    "processed": ProviderStatus.PAID,
    "partially_refunded": ProviderStatus.PARTIALLY_REFUNDED,
    "refunded": ProviderStatus.REFUNDED,
}


class MercadoPagoProvider(AbstractContextManager["MercadoPagoProvider"]):
    """Speak to the Orders API in the name of each shop; close it to end its threads."""

    def __init__(
        self,
        base_url: str,
        *,
        credentials: ShopCredentials,
        guest_payer: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._guest_payer = guest_payer
        self._clock = clock
        self._clients: dict[ShopId, tuple[str, MercadoPagoClient]] = {}
        # The loop's own executor is small and shared; a slow provider must not fill it.
        self._threads = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="mercadopago")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def prepare(
        self, charge_id: ChargeId, *, shop_id: ShopId, amount: Money, payer_email: str | None
    ) -> Prepared:
        """Write the request; without a payer it names the shop's own address."""
        credentials = await self._credentials.of(shop_id)
        body = pix_request(
            reference=charge_id,
            amount=amount.to_decimal(),
            payer_email=payer_email or self._guest_payer.format(shop=shop_id),
        )
        return Prepared(receiver=credentials.user_id, request=body)

    async def create(self, charge: Charge) -> ProviderFact:
        """Send the bytes of the charge under its own key; the same key makes one order."""
        body = charge.request
        assert body is not None  # A charge keeps its bytes while they may have to be sent.
        began = self._clock()

        def send(client: MercadoPagoClient) -> ProviderOrder:
            if began - charge.created_at > KEY_TRUSTED_FOR:
                earlier = _search(client, charge, until=began)
                if earlier is not None:
                    return earlier
            return client.create_order(body, idempotency_key=charge.id)

        try:
            return fact_of(await self._call(charge.shop_id, send), asked_at=began)
        except MercadoPagoRefused as exc:
            if exc.status == 409:
                raise ProviderKeyReused(exc.code) from exc
            raise ProviderRefused(exc.code) from exc
        except OrderNotFound as exc:
            raise ProviderUnavailable("the provider answered 404 to a creation") from exc

    async def fetch(self, shop_id: ShopId, provider_id: str) -> ProviderFact | None:
        """Read the provider's order; `None` when it has none of that id."""
        began = self._clock()
        try:
            order = await self._call(shop_id, lambda client: client.get_order(provider_id))
        except (OrderNotFound, MercadoPagoRefused):
            # An id that is not even well formed for the provider (the panel's `123456`) is a 400.
            return None
        return fact_of(order, asked_at=began)

    async def _call(self, shop_id: ShopId, call: Callable[[MercadoPagoClient], T]) -> T:
        credentials = await self._credentials.of(shop_id)
        try:
            return await self._in_thread(shop_id, credentials, call)
        except MercadoPagoUnauthorized as exc:
            log.error("access token refused", extra={"shop_id": shop_id})
            renewed = await self._credentials.renew(shop_id)
            if renewed == credentials:
                raise ProviderUnavailable(str(exc)) from exc
        except MercadoPagoUnavailable as exc:
            raise ProviderUnavailable(str(exc), retry_after=exc.retry_after) from exc
        try:
            return await self._in_thread(shop_id, renewed, call)
        except MercadoPagoUnavailable as exc:
            raise ProviderUnavailable(str(exc), retry_after=exc.retry_after) from exc

    async def _in_thread(
        self, shop_id: ShopId, credentials: Credentials, call: Callable[[MercadoPagoClient], T]
    ) -> T:
        client = self._client(shop_id, credentials)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, client)

    def _client(self, shop_id: ShopId, credentials: Credentials) -> MercadoPagoClient:
        token, client = self._clients.get(shop_id, (None, None))
        if client is None or token != credentials.access_token:
            client = MercadoPagoClient(self._base_url, credentials.access_token)
            self._clients[shop_id] = (credentials.access_token, client)
        return client


def fact_of(order: ProviderOrder, *, asked_at: datetime) -> ProviderFact:
    """Put an order of the Orders API into our words."""
    return ProviderFact(
        provider_id=order.id,
        reference=order.external_reference,
        receiver=order.user_id,
        currency=order.currency,
        method=order.payment_method,
        status=_status(order),
        amount=_money(order.total_amount),
        paid=_money(order.paid_amount),
        updated_at=order.last_updated_at,
        asked_at=asked_at,
        detail=order.status_detail,
        pix_code=order.pix_code,
        expires_at=order.expires_at,
    )


def _status(order: ProviderOrder) -> ProviderStatus:
    table, key = _STATUSES, order.status
    if order.status == "processed":
        table, key = _PROCESSED, order.status_detail
    return table.get(key, ProviderStatus.UNRECOGNISED)


def _money(amount: Decimal | None) -> Money | None:
    try:
        return None if amount is None else Money.from_decimal(amount)
    except InvalidMoney:
        return None


def _search(client: MercadoPagoClient, charge: Charge, *, until: datetime) -> ProviderOrder | None:
    begin, end = charge.created_at - timedelta(hours=1), until + timedelta(hours=1)
    found = client.search_orders(
        external_reference=charge.id, begin=begin.isoformat(), end=end.isoformat()
    )
    return next((order for order in found if order.external_reference == charge.id), None)
