"""Builders of the payments tests: a desk to work at, and short ways to say what arrives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from comanda.envelope import Envelope, seal
from comanda.events import (
    CustomerErased,
    CustomerRegistered,
    Event,
    Line,
    NotificationQuarantined,
    NotificationReceived,
    OrderCancelled,
    RawRequest,
    StockReserved,
)
from comanda.ids import ChargeId, CustomerId, OrderId, ProductId, ReservationId, ShopId
from comanda.messaging.memory import InMemoryPublisher
from comanda.money import ZERO, Money
from workers.payments.errands import run_errands
from workers.payments.handlers import HANDLERS
from workers.payments.ledger import EntryKind
from workers.payments.ledger import Line as LedgerLine
from workers.payments.memory import InMemoryPayments
from workers.payments.memory_provider import InMemoryProvider
from workers.payments.model import Charge, ChargeStatus, Outcome, ProviderFact, ProviderStatus
from workers.payments.ports import Desk, Payments
from workers.payments.reader import PostgresPaymentsReader
from workers.payments.reports import PaymentsReader
from workers.payments.repository import PostgresPayments
from workers.runtime.errors import AlreadyHandled
from workers.runtime.postgres import PostgresUnits
from workers.runtime.postgres_pool import postgres_pool

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SHOP = ShopId("lanchonete-da-ana")
OTHER_SHOP = ShopId("cantina-do-beto")
ORDER = OrderId("order-1")
PRICE = Money.parse("58.80")
CHARGE_ID = ChargeId("charge-1")
PROVIDER_ID = "ORD01"
REQUEST = RawRequest(method="POST", path="/webhooks", headers=(), query=(), body="{}")
PAID = frozenset({ProviderStatus.PAID, ProviderStatus.PARTIALLY_REFUNDED})
_ids = count(1)
TABLES = (
    "inbox, outbox, charges, ledger, cases, refused_transitions, webhook_inbox, payers,"
    " cancelled_orders, attempts, sweeps, repairs"
)


class Clock:
    """A clock that moves when a test says so, and a little with every look."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


class Counter:
    """Payments at work: a store, a provider, a clock, and what went out."""

    def __init__(self, payments: Payments, *, reader: PaymentsReader, topic: Any, clock: Clock):
        self.payments = payments
        self.reader = reader
        self._topic = topic
        self.clock = clock
        self.provider = InMemoryProvider(clock=clock)
        self.desk = Desk(
            payments=payments,
            provider=self.provider,
            clock=clock,
            new_charge_id=lambda _: ChargeId(str(UUID(int=next(_ids)))),
        )

    async def deliver(self, event: Event, *, message: Envelope | None = None) -> Envelope:
        """Handle an event as the worker does; one that was handled before is a success."""
        message = message or seal(event, now=self.clock())
        with suppress(AlreadyHandled):
            await HANDLERS[type(event)](message, desk=self.desk)
        return message

    async def charge(self, order_id: OrderId = ORDER, *, shop_id: ShopId = SHOP) -> Charge:
        """Give the one charge of an order."""
        (charge,) = await self.reader.charges(shop_id, order_id)
        return charge

    async def paid(self, order_id: OrderId = ORDER) -> Charge:
        """Let the customer pay and the webhook arrive."""
        charge = await self.charge(order_id)
        self.provider.change(charge.id, ProviderStatus.PAID)
        await self.deliver(self.notified(charge))
        return await self.charge(order_id)

    def notified(self, charge: Charge) -> NotificationReceived:
        """Say that the provider told of a charge just now."""
        assert charge.provider_id is not None
        return notification(charge.provider_id, at=self.clock())

    async def sent(self) -> list[str]:
        """List the names of what went out, in order."""
        drain = getattr(self.payments, "drain", None)
        if drain is not None:
            await drain()
        return [type(envelope.event).__name__ for envelope in self._topic.published]

    async def facts(self) -> list[Event]:
        """List what went out, in order."""
        await self.sent()
        return [envelope.event for envelope in self._topic.published]

    async def settle(self, *, turns: int = 6) -> None:
        """Let the errands run until there is nothing due, as time goes on."""
        for _ in range(turns):
            await run_errands(self.desk)
            self.clock.now += timedelta(minutes=1)

    async def balance(self, order_id: OrderId = ORDER) -> tuple[str, str, str]:
        """Give what came, went back and is disputed of an order's charge."""
        balance = (await self.charge(order_id)).balance
        return str(balance.charged), str(balance.refunded), str(balance.disputed)

    async def kinds(self, shop_id: ShopId = SHOP) -> list[str]:
        """Name the open cases."""
        return [case.kind.value for case in await self.reader.open_cases(shop_id, limit=100)]

    async def totals(self, shop_id: ShopId = SHOP) -> tuple[str, int]:
        """Give what is in the ledger, and how many cases are open."""
        totals = await self.reader.totals(shop_id)
        return str(totals.paid), totals.open_cases


class DrainingPayments(PostgresPayments):
    """The real store that lets a test wait for its relay."""

    def __init__(self, units: PostgresUnits, **arguments: Any) -> None:
        super().__init__(units, **arguments)
        self.drain = units.drain


def memory_counter() -> Counter:
    clock = Clock()
    payments = InMemoryPayments(clock=clock)
    return Counter(payments, reader=payments, topic=payments, clock=clock)


@asynccontextmanager
async def postgres_counter(dsn: str, *, size: int = 8) -> AsyncIterator[Counter]:
    clock, publisher = Clock(), InMemoryPublisher()
    async with postgres_pool(dsn, size=size) as pool:
        async with pool.connection() as connection:
            await connection.execute(f"TRUNCATE {TABLES}")
        units = PostgresUnits(pool, publisher=publisher, clock=clock)
        payments = DrainingPayments(units, pool=pool, clock=clock)
        reader = PostgresPaymentsReader(pool)
        yield Counter(payments, reader=reader, topic=publisher, clock=clock)
        await units.drain()


def waiting(**changes: Any) -> Charge:
    """Build a charge that waits for its 58.80."""
    charge = Charge(
        id=CHARGE_ID,
        shop_id=SHOP,
        order_id=ORDER,
        amount=PRICE,
        receiver="seller-1",
        created_at=NOW,
        status=ChargeStatus.WAITING,
        provider_id=PROVIDER_ID,
        pix_code="000201",
        expires_at=NOW + timedelta(minutes=30),
        provider_updated_at=NOW,
    )
    return replace(charge, **changes)


def lines(**amounts: str) -> tuple[LedgerLine, ...]:
    """Build ledger lines of a charge's own payment, as `charged="58.80"`."""
    return tuple(
        LedgerLine(kind=EntryKind(kind), amount=Money.parse(amount), resource_id="")
        for kind, amount in amounts.items()
    )


def booked(outcome: Outcome) -> Charge:
    """Give the charge of an outcome as a store would read it back, with its new lines."""
    new = tuple(
        LedgerLine(kind=entry.kind, amount=entry.amount, resource_id=entry.resource_id)
        for entry in outcome.entries
    )
    return replace(outcome.charge, lines=(*outcome.charge.lines, *new))


def creating(**changes: Any) -> Charge:
    """Build a charge whose row is there and whose answer is not."""
    charge = Charge(
        id=CHARGE_ID,
        shop_id=SHOP,
        order_id=ORDER,
        amount=PRICE,
        receiver="seller-1",
        created_at=NOW,
        request=b"{}",
        next_check_at=NOW + timedelta(seconds=10),
    )
    return replace(charge, **changes)


def fact(status: ProviderStatus = ProviderStatus.PAID, **changes: Any) -> ProviderFact:
    """Build what the provider says of the charge above, a minute later."""
    later = NOW + timedelta(minutes=1)
    said = ProviderFact(
        provider_id=PROVIDER_ID,
        reference=CHARGE_ID,
        receiver="seller-1",
        currency="BRL",
        method="pix",
        status=status,
        amount=PRICE,
        paid=PRICE if status in PAID else ZERO,
        updated_at=later,
        asked_at=later,
        pix_code="000201",
        expires_at=NOW + timedelta(minutes=30),
    )
    return replace(said, **changes)


def reserved(
    order_id: OrderId = ORDER,
    *,
    shop_id: ShopId = SHOP,
    customer_id: CustomerId | None = None,
    total: Money = PRICE,
) -> StockReserved:
    line = Line(product_id=ProductId("p"), name="X-Salada", quantity=1, unit_price=total)
    return StockReserved(
        shop_id=shop_id,
        order_id=order_id,
        customer_id=customer_id,
        reservation_id=ReservationId(f"r-{order_id}"),
        lines=(line,),
        total=total,
    )


def notification(
    resource_id: str, *, at: datetime = NOW, topic: str = "order"
) -> NotificationReceived:
    return NotificationReceived(
        shop_id=SHOP, topic=topic, resource_id=resource_id, received_at=at, request=REQUEST
    )


def quarantined(resource_id: str, *, at: datetime = NOW) -> NotificationQuarantined:
    return NotificationQuarantined(
        shop_id=SHOP,
        topic="order",
        resource_id=resource_id,
        reason="wrong_secret",
        received_at=at,
        request=REQUEST,
    )


def cancelled(order_id: OrderId = ORDER) -> OrderCancelled:
    return OrderCancelled(shop_id=SHOP, order_id=order_id, reason="customer")


def registered(customer_id: CustomerId, email: str = "maria@example.com") -> CustomerRegistered:
    return CustomerRegistered(shop_id=SHOP, customer_id=customer_id, email=email)


def erased(customer_id: CustomerId) -> CustomerErased:
    return CustomerErased(shop_id=SHOP, customer_id=customer_id)
