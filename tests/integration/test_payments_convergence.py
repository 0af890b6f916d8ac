"""Against the real simulator, under its faults: drained and reconciled, our books are its truth."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from comanda.envelope import Envelope, seal
from comanda.events import NotificationReceived
from comanda.ids import OrderId
from comanda.mercadopago.client import Rates
from comanda.mercadopago.values import Flavour
from comanda.money import ZERO, Money
from tests.mercadopago_simulator import TOKEN, Bench, bench
from tests.payments_builders import REQUEST, SHOP, Counter, cancelled, memory_counter, reserved
from workers.payments.credentials import ShopCredentials
from workers.payments.errands import run_errands
from workers.payments.mercadopago import MercadoPagoProvider
from workers.payments.model import ChargeStatus
from workers.payments.reconciliation import reconcile
from workers.payments.sweeping import sweep_shops
from workers.runtime.errors import RetryLater

S = ChargeStatus
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("error", {"value": 500, "rate": 0.3}),
    ("error_after", {"value": 502, "rate": 0.3}),
    ("html", {"rate": 0.3}),
    ("truncated", {"rate": 0.3}),
    ("drop_before", {"rate": 0.3}),
    ("drop_after", {"rate": 0.3}),
    ("rate_limited", {"value": "0", "rate": 0.3}),
    ("unauthorized", {"rate": 0.2}),
    ("webhook_first", {}),
    ("webhook_never", {}),
    ("webhook_late", {"value": 60}),
    ("webhook_duplicated", {"value": 3}),
    ("webhook_out_of_order", {"value": 60}),
    ("webhook_payment_topic", {}),
    ("stale_read", {"rate": 0.5}),
    ("async_creation", {"value": 5}),
    ("wrong_amount", {"count": 1}),
    ("wrong_currency", {"count": 1}),
    ("wrong_reference", {"count": 1}),
    ("wrong_receiver", {"count": 1}),
    ("paid_twice", {"count": 1}),
    ("late_settlement", {}),
    ("refund_contingency", {"value": 60}),
    ("refund_async", {"value": 60}),
    ("refund_fails", {"value": 60, "count": 1}),
    ("dispute", {"value": "chargeback", "count": 1}),
)
MIXES = [
    *[(name,) for name, _ in KINDS],
    *[
        tuple(random.Random(seed).sample([name for name, _ in KINDS], 2 + seed % 5))
        for seed in range(40)
    ],
]


class Shop:
    """Our payments at a simulated provider; both clocks go together."""

    def __init__(self, counter: Counter, bench: Bench) -> None:
        self.counter = counter
        self.bench = bench
        self.messages: list[Envelope] = []
        self._heard = 0

    async def pass_time(self, **more: float) -> None:
        self.counter.clock.now += timedelta(**more)
        await self.bench.advance(seconds=timedelta(**more).total_seconds())

    async def send(self, event: Any) -> None:
        self.messages.append(seal(event, now=self.counter.clock()))
        await self.deliver()

    async def deliver(self) -> None:
        """Hand over all that waits, in any order, as queues do."""
        heard = self.bench.shop.heard[self._heard :]
        self._heard += len(heard)
        for one in heard:
            if "data.id" in one.query and one.query.get("type") in ("order", "payment"):
                event = NotificationReceived(
                    shop_id=SHOP,
                    topic=one.query["type"],
                    resource_id=one.query["data.id"],
                    received_at=self.counter.clock(),
                    request=REQUEST,
                )
                self.messages.append(seal(event, now=self.counter.clock()))
        left = []
        for message in self.messages:
            try:
                await self.counter.deliver(message.event, message=message)
            except RetryLater:
                left.append(message)
        self.messages = left

    async def turn(self) -> None:
        await self.deliver()
        await reconcile(self.counter.desk)
        await run_errands(self.counter.desk)

    async def control(self, name: str, order: str, **more: Any) -> None:
        for charge in await self.counter.reader.charges(SHOP, OrderId(order)):
            await self.bench.control(name, id=charge.id, **more)


@pytest.fixture(params=list(Flavour))
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async def read(_: str) -> str:
        return f'{{"access_token": "{TOKEN}", "user_id": "42"}}'

    async with bench(tmp_path) as simulator:
        counter = memory_counter()
        counter.clock.now = datetime.fromisoformat((await simulator.look("clock"))["now"])
        with MercadoPagoProvider(
            simulator.url,
            credentials=ShopCredentials(read, stage="laptop"),
            guest_payer="pix@{shop}.example",
            clock=counter.clock,
            flavour=request.param,
            rates=Rates(calls=10_000, searches=10_000),
            sleep=lambda _: None,
        ) as provider:
            object.__setattr__(counter.desk, "provider", provider)
            yield Shop(counter, simulator)


@pytest.mark.parametrize("mix", MIXES, ids="+".join)
async def test_under_every_mix_of_faults_our_books_become_the_simulators(
    shop: Shop, mix: tuple[str, ...]
) -> None:
    values = dict(KINDS)
    for name in mix:
        await shop.bench.fault(name, **values[name])
    await live(shop)
    await shop.bench.call("DELETE", "/_control/faults", token=None, key=None)

    for _ in range(5):
        await shop.pass_time(hours=1.1)
        await shop.bench.settled()
        await shop.turn()
        await sweep_shops([SHOP], desk=shop.counter.desk)
        await shop.pass_time(minutes=2)
        await shop.turn()

    await agree(shop)


async def test_without_faults_everything_ends_where_it_should(shop: Shop) -> None:
    await live(shop)
    for _ in range(3):
        await shop.bench.settled()
        await shop.pass_time(minutes=2)
        await shop.turn()
    await sweep_shops([SHOP], desk=shop.counter.desk)
    await shop.turn()

    counter = shop.counter
    ends = [(await counter.charge(OrderId(f"order-{n}"))).status for n in range(5)]
    second = await counter.charge(OrderId("order-1"))
    assert ends == [S.PAID, S.PAID, S.REFUNDED, S.CANCELLED, S.REFUNDED]
    assert await counter.kinds() == ["paid_and_unknown"]
    (other,) = {line.resource_id for line in second.lines if line.resource_id}
    assert second.balance_of(other).charged == second.balance_of(other).refunded == second.amount
    await agree(shop)


async def live(shop: Shop) -> None:
    """Pay, pay twice, pay late, cancel before and after, and pay what nobody asked for."""
    for n in range(5):
        await shop.send(reserved(OrderId(f"order-{n}")))
    for _ in range(3):
        await shop.pass_time(seconds=12)
        await shop.turn()
    await shop.control("pay", "order-0")
    await shop.control("pay", "order-1")
    await shop.control("pay", "order-1", again=True)
    await shop.control("expire", "order-2")
    await shop.bench.control("settle", seconds=1)
    await shop.turn()
    await shop.control("pay", "order-2", late=True)
    await shop.send(cancelled(OrderId("order-3")))
    await shop.control("pay", "order-4")
    await shop.turn()
    await shop.send(cancelled(OrderId("order-4")))
    await shop.bench.control("payments", shop=str(SHOP), amount="12.34")
    for _ in range(3):
        await shop.pass_time(seconds=20)
        await asyncio.sleep(0)
        await shop.turn()


async def agree(shop: Shop) -> None:
    reader = shop.counter.reader
    marks = await reader.case_marks(SHOP, after=0, limit=1000)
    subjects = {mark.subject.rpartition("/")[2] for mark in marks}
    open_orders = {mark.order_id for mark in marks if mark.is_open}
    charges = {row.charge.id: row.charge for row in await reader.audit(SHOP, after="", limit=99)}
    by_provider = {charge.provider_id: charge for charge in charges.values()}
    for told in await shop.bench.truth():
        paid, back = Money.parse(told["paid"]), Money.parse(told["refunded"])
        own = told["id"] if told["api"] == "orders" else str(told["number"])
        charge = charges.get(told["reference"] or "") or by_provider.get(own)
        if charge is None:
            assert paid <= back or own in subjects, told
            continue
        booked = charge.balance_of("" if own == charge.provider_id else own)
        is_case = charge.order_id in open_orders
        assert (booked.charged, booked.refunded) == (paid, back) or is_case, (told, charge)
    for charge in charges.values():
        is_kept = charge.status in (S.PAID, S.PARTIALLY_REFUNDED) and not charge.order_cancelled_at
        is_case = charge.order_id in open_orders
        assert charge.balance.left == ZERO or is_kept or is_case, charge
        assert charge.status not in (S.CREATING, S.UNKNOWN, S.PAID_LATE) or is_case, charge
