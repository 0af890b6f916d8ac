"""Deliver signed notifications, again and again until they are answered with 200 or 201.

Mercado Pago repeats after 15 minutes and then ever more slowly; the laptop's clock runs faster.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp

from comanda.mercadopago.signature import sign
from local.mercadopago.orders import Order, instant
from local.mercadopago.store import Delivery, Store

log = logging.getLogger(__name__)
RETRY_SECONDS = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
MOST_AT_ONCE = 64
TIMEOUT_SECONDS = 22.0
DELIVERED = frozenset({200, 201})


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """One shop's application at Mercado Pago."""

    shop: str
    access_token: str
    user_id: str
    application_id: str
    webhook_secrets: tuple[str, ...]
    webhook_url: str


class Courier:
    """Carry notifications to the shops."""

    def __init__(self, store: Store, *, find: Callable[[str], Application]) -> None:
        self._store = store
        self._find = find
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin with what was undelivered when the last process ended."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout)
        for delivery in list(self._store.deliveries.values()):
            self.carry(delivery)

    async def stop(self) -> None:
        """Drop what is under way; the store keeps it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def carry(self, delivery: Delivery) -> None:
        """Take a notification that is saved already."""
        task = asyncio.create_task(self._carry(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, delivery: Delivery) -> None:
        while True:
            await asyncio.sleep(max(0.0, delivery.due_at - time.time()))
            async with self._slots:
                is_delivered = await self._try(delivery)
            if is_delivered:
                self._store.finish(delivery)
                return
            pause = RETRY_SECONDS[min(delivery.attempts, len(RETRY_SECONDS) - 1)]
            delivery.attempts += 1
            delivery.due_at = time.time() + pause
            self._store.save_delivery(delivery)

    async def _try(self, delivery: Delivery) -> bool:
        assert self._session is not None  # `start` comes first.
        order = self._store.orders[delivery.order_id]
        application = self._find(order.token)
        url = f"{application.webhook_url}?{_query(order)}"
        headers = _headers(order, application, request_id=str(uuid4()))
        body = _body(order, application, delivery)
        try:
            async with self._session.post(url, json=body, headers=headers) as answer:
                return answer.status in DELIVERED
        except (aiohttp.ClientError, TimeoutError):
            log.info("delivery failed", extra={"order": order.id, "attempts": delivery.attempts})
            return False


def new_delivery(order: Order, action: str) -> Delivery:
    """Make a notification that is due now."""
    return Delivery(
        id=str(uuid4()), order_id=order.id, action=action, attempts=0, due_at=time.time()
    )


def _query(order: Order) -> str:
    pairs = {
        "data.id": order.id,
        "type": "order",
        "data.external_reference": order.reference,
    }
    return urlencode(pairs)


def _headers(order: Order, application: Application, *, request_id: str) -> dict[str, str]:
    ts = str(int(datetime.now(UTC).timestamp()))
    secret = application.webhook_secrets[0]
    return {
        "User-Agent": "MercadoPago WebHook v1.0 order",
        "X-Request-Id": request_id,
        "X-Signature": sign(secret=secret, data_id=order.id, request_id=request_id, ts=ts),
    }


def _body(order: Order, application: Application, delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "live_mode": False,
        "type": "order",
        "date_created": instant(datetime.now(UTC)),
        "application_id": application.application_id,
        "user_id": application.user_id,
        "version": delivery.attempts,
        "api_version": "v1",
        "action": delivery.action,
        "data": {
            "id": order.id,
            "type": "online",
            "external_reference": order.reference,
            "status": order.status,
            "status_detail": order.detail,
            "total_paid_amount": order.amount if order.paid_at else "0.00",
        },
    }
