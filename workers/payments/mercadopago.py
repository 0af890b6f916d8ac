"""Mercado Pago as our provider: both APIs per shop, calls in threads, facts out."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from datetime import datetime, timedelta
from types import TracebackType
from typing import TypeVar

from comanda.ids import ChargeId, ShopId
from comanda.mercadopago.api import ProviderAPI
from comanda.mercadopago.client import Rates, open_apis
from comanda.mercadopago.errors import (
    MercadoPagoRefused,
    MercadoPagoUnauthorized,
    MercadoPagoUnavailable,
    ResourceNotFound,
)
from comanda.mercadopago.payloads import with_payer
from comanda.mercadopago.values import Flavour, ProviderOrder
from comanda.money import Money
from workers.payments.attempts import Attempt
from workers.payments.credentials import Credentials, ShopCredentials
from workers.payments.model import Charge, ProviderFact, RefundFact
from workers.payments.provider import (
    FactPage,
    Prepared,
    ProviderKeyReused,
    ProviderRefused,
    ProviderUnavailable,
)
from workers.payments.readings import fact_of, refund_of

log = logging.getLogger(__name__)
T = TypeVar("T")
APIs = Mapping[Flavour, ProviderAPI]

# As many calls as may be under way at once; more wait here, and the provider sees no burst.
CONCURRENCY = 32
# Nobody documents how long the provider remembers a key, so an old one is looked up before it is
# sent again.
KEY_TRUSTED_FOR = timedelta(hours=1)
# The Payments API answers 409 for a key in use as well as for one with another body.
_LOCKED = "resource_locked"


class MercadoPagoProvider(AbstractContextManager["MercadoPagoProvider"]):
    """Speak in the name of each shop; new charges are made in one flavour. Close to end threads."""

    def __init__(
        self,
        base_url: str,
        *,
        credentials: ShopCredentials,
        guest_payer: str,
        clock: Callable[[], datetime],
        flavour: Flavour = Flavour.ORDERS,
        rates: Rates | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sleep = sleep
        self._base_url = base_url
        self._credentials = credentials
        self._guest_payer = guest_payer
        self._clock = clock
        self._flavour = flavour
        self._rates = rates
        self._known: dict[ShopId, tuple[str, APIs]] = {}
        # What writes bytes needs no account; what sends them is opened per shop.
        self._writers = open_apis(base_url, "")
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
        body = self._writers[self._flavour].create_request(
            reference=charge_id,
            amount=amount.to_decimal(),
            payer_email=payer_email or self._guest_payer.format(shop=shop_id),
            now=self._clock(),
        )
        return Prepared(receiver=credentials.user_id, request=body, flavour=self._flavour)

    def without_payer(self, charge: Charge) -> bytes:
        """Write the bytes again with the shop's own address in them."""
        body = charge.request
        assert body is not None  # A charge keeps its bytes while they may have to be sent.
        return with_payer(body, email=self._guest_payer.format(shop=charge.shop_id))

    async def create(self, charge: Charge) -> ProviderFact:
        """Send the bytes of the charge under its own key; the same key makes one order."""
        body = charge.request
        assert body is not None  # A charge keeps its bytes while they may have to be sent.
        began = self._clock()

        def send(apis: APIs) -> ProviderOrder:
            api = apis[charge.flavour]
            if began - charge.created_at > KEY_TRUSTED_FOR:
                earlier = _search(api, charge, until=began)
                if earlier is not None:
                    return earlier
            return api.create(body, key=charge.id)

        try:
            return fact_of(await self._call(charge.shop_id, send), asked_at=began)
        except MercadoPagoRefused as exc:
            if exc.code == _LOCKED:
                raise ProviderUnavailable("our earlier call holds the key") from exc
            if exc.status == 409:
                raise ProviderKeyReused(str(exc)) from exc
            raise ProviderRefused(exc.code) from exc
        except ResourceNotFound as exc:
            raise ProviderUnavailable("the provider answered 404 to a creation") from exc

    async def fetch(
        self, shop_id: ShopId, resource_id: str, *, flavour: Flavour = Flavour.ORDERS
    ) -> ProviderFact | None:
        """Read an order or payment; `None` when it has none of that id."""
        began = self._clock()
        try:
            found = await self._call(shop_id, lambda apis: apis[flavour].get(resource_id))
        except (ResourceNotFound, MercadoPagoRefused):
            # An id that is not even well formed for the provider (the panel's `123456`) is a 400.
            return None
        return fact_of(found, asked_at=began)

    def request_of(self, attempt: Attempt, *, charge: Charge) -> bytes:
        """Write the bytes of an attempt."""
        api = self._writers[attempt.flavour or charge.flavour]
        if attempt.amount is None:
            return api.cancel_request()
        came = charge.balance_of(attempt.resource_id)
        return api.refund_request(
            payment_id=charge.payment_id,
            amount=attempt.amount.to_decimal(),
            is_total=attempt.amount == came.charged == came.left,
        )

    async def cancel(self, attempt: Attempt, *, charge: Charge) -> ProviderFact:
        """Cancel under the attempt's key."""
        resource, body = _resource(attempt, charge), _bytes(attempt)
        began = self._clock()
        order = await self._settle(
            charge.shop_id,
            lambda apis: apis[charge.flavour].cancel(resource, body, key=attempt.id),
        )
        return fact_of(order, asked_at=began)

    async def refund(self, attempt: Attempt, *, charge: Charge) -> Sequence[RefundFact]:
        """Refund under the attempt's key."""
        resource, body = _resource(attempt, charge), _bytes(attempt)
        flavour = attempt.flavour or charge.flavour
        answered = await self._settle(
            charge.shop_id, lambda apis: apis[flavour].refund(resource, body, key=attempt.id)
        )
        return [refund_of(each) for each in answered]

    async def refunds(self, attempt: Attempt, *, charge: Charge) -> Sequence[RefundFact]:
        """List the refunds of what an attempt is about."""
        resource, flavour = _resource(attempt, charge), attempt.flavour or charge.flavour
        listed = await self._settle(charge.shop_id, lambda apis: apis[flavour].refunds(resource))
        return [refund_of(each) for each in listed]

    async def search(
        self, shop_id: ShopId, *, flavour: Flavour, window: tuple[datetime, datetime], page: int
    ) -> FactPage:
        """List a page of what was made within the window."""
        began = self._clock()
        begin, end = window
        found = await self._settle(
            shop_id, lambda apis: apis[flavour].search(begin=begin, end=end, page=page)
        )
        facts = tuple(fact_of(order, asked_at=began) for order in found.orders)
        return FactPage(facts=facts, is_last=found.is_last)

    async def _settle(self, shop_id: ShopId, call: Callable[[APIs], T]) -> T:
        try:
            return await self._call(shop_id, call)
        except MercadoPagoRefused as exc:
            raise ProviderRefused(exc.code) from exc
        except ResourceNotFound as exc:
            raise ProviderRefused("not_found") from exc

    async def _call(self, shop_id: ShopId, call: Callable[[APIs], T]) -> T:
        credentials = await self._credentials.of(shop_id)
        try:
            return await self._in_thread(shop_id, credentials, call)
        except MercadoPagoUnauthorized as exc:
            log.error(
                "access token refused",
                extra={"shop_id": shop_id, "request_id": exc.request_id},
            )
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
        self, shop_id: ShopId, credentials: Credentials, call: Callable[[APIs], T]
    ) -> T:
        apis = self._apis(shop_id, credentials)
        # The thread goes on in the trace of the task; an executor does not do so by itself.
        inside = copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._threads, inside, call, apis)

    def _apis(self, shop_id: ShopId, credentials: Credentials) -> APIs:
        token, apis = self._known.get(shop_id, (None, None))
        if apis is None or token != credentials.access_token:
            apis = open_apis(
                self._base_url, credentials.access_token, rates=self._rates, sleep=self._sleep
            )
            self._known[shop_id] = (credentials.access_token, apis)
        return apis


def _resource(attempt: Attempt, charge: Charge) -> str:
    resource = attempt.resource_id or charge.provider_id
    assert resource is not None  # Nothing is asked about a charge that the provider has not made.
    return resource


def _bytes(attempt: Attempt) -> bytes:
    assert attempt.request is not None  # The bytes are stored before the first call.
    return attempt.request


def _search(api: ProviderAPI, charge: Charge, *, until: datetime) -> ProviderOrder | None:
    begin, end = charge.created_at - timedelta(hours=1), until + timedelta(hours=1)
    found = api.search(begin=begin, end=end, page=0, reference=charge.id)
    return next((o for o in found.orders if o.external_reference == charge.id), None)
