"""Whatever goes wrong, in any order: drained and reconciled, our books are the provider's."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from comanda.envelope import Envelope, seal
from comanda.ids import OrderId
from comanda.mercadopago.values import RefundState
from comanda.money import ZERO
from tests.payments_builders import SHOP, Counter, cancelled, memory_counter, notification, reserved
from workers.payments.cases import CaseKind
from workers.payments.errands import run_errands
from workers.payments.model import ChargeStatus, ProviderStatus
from workers.payments.reconciliation import reconcile
from workers.payments.sweeping import sweep_shops
from workers.runtime.errors import RetryLater

ORDERS = [OrderId(f"order-{n}") for n in range(2)]
STEPS = (
    "reserve",
    "cancel_order",
    "pay",
    "pay_twice",
    "expire",
    "reject",
    "dispute",
    "panel_refund",
    "notify",
    "notify_later",
    "stranger",
    "go_down",
    "come_back",
    "lose_answers",
    "refuse_refunds",
    "refunds_in_process",
    "reconcile",
    "errands",
    "sweep",
    "time",
)
_OPEN = {ProviderStatus.WAITING, ProviderStatus.EXPIRED, ProviderStatus.REJECTED}
MONEY = {ProviderStatus.PAID}


class World:
    """One shop with its provider, in which anything may happen."""

    def __init__(self) -> None:
        self.counter: Counter = memory_counter()
        self.waiting: list[Envelope] = []
        self.strangers = 0

    async def take(self, step: str, order: OrderId) -> None:
        acted = getattr(self, f"_{step}", None)
        if acted is not None:
            await acted(order)
        self.check_at_every_step()

    async def drain_and_reconcile(self) -> None:
        faults = self.counter.provider.faults
        faults.is_down, faults.lost_answers, faults.refund_refusal = False, 0, None
        faults.refund_state = RefundState.DONE
        for _ in range(4):
            self.counter.provider.finish_refunds(RefundState.DONE)
            self.counter.clock.now += timedelta(hours=2)
            for message in [*self.waiting]:
                await self._deliver(message)
            await reconcile(self.counter.desk)
            await run_errands(self.counter.desk)
            await sweep_shops([SHOP], desk=self.counter.desk)

    def check_at_every_step(self) -> None:
        state = self.counter.payments._state  # type: ignore[attr-defined]
        known = {(c.subject.rpartition("/")[2]) for c in state.cases}
        known |= {c.order_id for c in state.cases}
        for charge in map(state.charge, state.charges.values()):
            balance = charge.balance
            assert balance.refunded <= balance.charged
            if balance.left > ZERO and charge.status not in (
                ChargeStatus.PAID,
                ChargeStatus.PARTIALLY_REFUNDED,
            ):
                assert charge.order_id in known
            is_unwanted = charge.order_cancelled_at is not None and balance.left > ZERO
            assert not is_unwanted or charge.order_id in known

    async def _deliver(self, message: Envelope) -> None:
        if message not in self.waiting:
            self.waiting.append(message)
        with suppress(RetryLater):
            await self.counter.deliver(message.event, message=message)
            self.waiting.remove(message)

    async def _reserve(self, order: OrderId) -> None:
        await self._deliver(seal(reserved(order), now=self.counter.clock()))

    async def _cancel_order(self, order: OrderId) -> None:
        await self._deliver(seal(cancelled(order), now=self.counter.clock()))

    async def _pay(self, order: OrderId) -> None:
        await self._change(order, ProviderStatus.PAID, sources=_OPEN)

    async def _expire(self, order: OrderId) -> None:
        await self._change(order, ProviderStatus.EXPIRED, sources={ProviderStatus.WAITING})

    async def _reject(self, order: OrderId) -> None:
        await self._change(order, ProviderStatus.REJECTED, sources={ProviderStatus.WAITING})

    async def _dispute(self, order: OrderId) -> None:
        await self._change(order, ProviderStatus.DISPUTED, sources=MONEY)

    async def _change(
        self, order: OrderId, to: ProviderStatus, *, sources: set[ProviderStatus]
    ) -> None:
        for charge in await self.counter.reader.charges(SHOP, order):
            made = self.counter.provider.orders.get(charge.id)
            if made is not None and made.status in sources:
                self.counter.provider.change(charge.id, to)

    async def _pay_twice(self, order: OrderId) -> None:
        await self._pay(order)
        for charge in await self.counter.reader.charges(SHOP, order):
            made = self.counter.provider.orders.get(charge.id)
            number = f"9{order[-1]}"
            is_new = number not in self.counter.provider.orders
            if made is not None and made.status in MONEY and is_new:
                self.counter.provider.pay_again(charge.id, number=number)

    async def _panel_refund(self, order: OrderId) -> None:
        for charge in await self.counter.reader.charges(SHOP, order):
            made = self.counter.provider.orders.get(charge.id)
            if made is not None and made.status in MONEY:
                left = self.counter.provider._refunds.left(made)
                if left > ZERO:
                    self.counter.provider.refund_from_panel(charge.id, left)

    async def _notify(self, order: OrderId) -> None:
        for charge in await self.counter.reader.charges(SHOP, order):
            made = self.counter.provider.orders.get(charge.id)
            if made is not None:
                event = notification(made.provider_id, at=self.counter.clock())
                await self._deliver(seal(event, now=self.counter.clock()))

    async def _notify_later(self, order: OrderId) -> None:
        for charge in await self.counter.reader.charges(SHOP, order):
            made = self.counter.provider.orders.get(charge.id)
            if made is not None:
                event = notification(made.provider_id, at=self.counter.clock())
                self.waiting.insert(0, seal(event, now=self.counter.clock()))

    async def _stranger(self, _: OrderId) -> None:
        self.strangers += 1
        made = self.counter.provider.stranger(f"STRANGER{self.strangers}")
        self.counter.provider.orders[made.provider_id] = made

    async def _go_down(self, _: OrderId) -> None:
        self.counter.provider.faults.is_down = True

    async def _come_back(self, _: OrderId) -> None:
        self.counter.provider.faults.is_down = False

    async def _lose_answers(self, _: OrderId) -> None:
        self.counter.provider.faults.lost_answers = 2

    async def _refuse_refunds(self, _: OrderId) -> None:
        self.counter.provider.faults.refund_refusal = "3005"

    async def _refunds_in_process(self, _: OrderId) -> None:
        self.counter.provider.faults.refund_state = RefundState.IN_PROCESS

    async def _reconcile(self, _: OrderId) -> None:
        await reconcile(self.counter.desk)

    async def _errands(self, _: OrderId) -> None:
        await run_errands(self.counter.desk)

    async def _sweep(self, _: OrderId) -> None:
        await sweep_shops([SHOP], desk=self.counter.desk)

    async def _time(self, _: OrderId) -> None:
        self.counter.clock.now += timedelta(minutes=7)


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(ORDERS)), max_size=30))
@settings(max_examples=250, deadline=None)
def test_every_real_of_the_provider_is_an_orders_or_went_back_or_is_a_case(
    steps: list[tuple[str, OrderId]],
) -> None:
    asyncio.run(live_through(steps))


async def live_through(steps: list[tuple[str, OrderId]]) -> None:
    world = World()
    await world.take("reserve", ORDERS[0])
    for step, order in steps:
        await world.take(step, order)

    await world.drain_and_reconcile()

    world.check_at_every_step()
    provider, reader = world.counter.provider, world.counter.reader
    marks = await reader.case_marks(SHOP, after=0, limit=1000)
    charges = {row.charge.id: row.charge for row in await reader.audit(SHOP, after="", limit=99)}
    for fact in map(provider._now, list(provider.orders.values())):
        paid, back = fact.paid or ZERO, fact.refunded or ZERO
        charge = charges.get(fact.reference)
        if charge is None:
            strangers = [m for m in marks if m.subject == fact.provider_id]
            assert [m.kind for m in strangers] == [CaseKind.PAID_AND_UNKNOWN]
            continue
        resource = "" if fact.provider_id == charge.provider_id else fact.provider_id
        booked = charge.balance_of(resource)
        is_case = any(m.is_open and m.order_id == charge.order_id for m in marks)
        assert (booked.charged, booked.refunded) == (paid, back) or is_case
        if resource and booked.left > ZERO:
            assert is_case
    for charge in charges.values():
        is_case = any(m.is_open and m.order_id == charge.order_id for m in marks)
        is_kept = charge.status in (ChargeStatus.PAID, ChargeStatus.PARTIALLY_REFUNDED)
        is_wanted = charge.order_cancelled_at is None
        assert charge.balance.left == ZERO or is_case or (is_kept and is_wanted)
        assert charge.status not in (ChargeStatus.CREATING, ChargeStatus.PAID_LATE) or is_case
