"""What a sweep of the provider's list reads, applies, remembers and leaves to the next one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from comanda.ids import OrderId, ShopId
from comanda.mercadopago.values import Flavour
from comanda.money import Money
from tests.payments_builders import NOW, ORDER, SHOP, Counter, memory_counter, reserved
from workers.payments.model import ChargeStatus, ProviderFact, ProviderStatus
from workers.payments.ports import Sweep
from workers.payments.provider import FactPage, ProviderRefused, ProviderUnavailable
from workers.payments.sweeping import LONG_PLANS, PLANS, SweepPlan, sweep_shops

S, P = ChargeStatus, ProviderStatus
PLAN = SweepPlan(name="recent", every=timedelta(minutes=1), reach=timedelta(minutes=15))
DAY = timedelta(days=1)
GONE = [ProviderUnavailable("down"), ProviderRefused("not_allowed")]


class ListingProvider:
    """A provider that gives pages as a test tells it, and remembers which windows were asked."""

    def __init__(self, counter: Counter) -> None:
        self._provider = counter.provider
        self.pages: list[Sequence[ProviderFact]] | None = None
        self.is_endless = False
        self.fault: Exception | None = None
        self.unreadable: Exception | None = None
        self.asked: list[tuple[Flavour, tuple[datetime, datetime], int]] = []

    async def search(
        self, shop_id: ShopId, *, flavour: Flavour, window: tuple[datetime, datetime], page: int
    ) -> FactPage:
        self.asked.append((flavour, window, page))
        if self.fault is not None:
            raise self.fault
        if self.pages is None:
            return await self._provider.search(shop_id, flavour=flavour, window=window, page=page)
        if flavour is not Flavour.ORDERS:
            return FactPage(facts=(), is_last=True)
        facts = tuple(self.pages[page % len(self.pages)])
        return FactPage(facts=facts, is_last=not self.is_endless and page == len(self.pages) - 1)

    async def fetch(
        self, shop_id: ShopId, resource_id: str, *, flavour: Flavour = Flavour.ORDERS
    ) -> ProviderFact | None:
        if self.unreadable is not None:
            raise self.unreadable
        return await self._provider.fetch(shop_id, resource_id, flavour=flavour)


@pytest.fixture
def counter() -> Counter:
    return memory_counter()


@pytest.fixture
def provider(counter: Counter) -> ListingProvider:
    listing = ListingProvider(counter)
    counter.desk = replace(counter.desk, provider=listing)  # type: ignore[arg-type]  # Only what sweeps use.
    return listing


async def swept(counter: Counter) -> int:
    return await sweep_shops([SHOP], desk=counter.desk, plans=[PLAN])


async def is_due_again_from(counter: Counter) -> datetime | None:
    """Give how far the store says that the sweep came."""
    counter.clock.now += PLAN.every
    sweep = await counter.payments.claim_sweep(SHOP, name=PLAN.name, every=PLAN.every)
    assert sweep is not None
    return sweep.swept_until


async def charged(counter: Counter, order: OrderId = ORDER) -> ProviderFact:
    """Create a charge past the provider that lists, and give the provider's order."""
    provider, counter.desk = counter.desk, replace(counter.desk, provider=counter.provider)
    await counter.deliver(reserved(order))
    counter.desk = provider
    return counter.provider.orders[(await counter.charge(order)).id]


def test_lately_the_last_days_and_the_last_months_are_swept_each_at_its_pace() -> None:
    minute, hour, day = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

    told = [(plan.name, plan.every, plan.reach, plan.has_strangers) for plan in PLANS + LONG_PLANS]

    assert told == [
        ("recent", minute, 15 * minute, True),
        ("days", hour, 50 * hour, True),
        ("months", day, 90 * day, False),
    ]


async def test_a_sweep_begins_its_reach_before_the_last_one_ended_and_looks_beyond_now(
    counter: Counter, provider: ListingProvider
) -> None:
    counter.desk = replace(counter.desk, clock=lambda: NOW)
    await swept(counter)
    counter.clock.now += timedelta(hours=1)
    counter.desk = replace(counter.desk, clock=lambda: NOW + timedelta(hours=1))
    await swept(counter)

    assert provider.asked == [
        (Flavour.ORDERS, (NOW - PLAN.reach, NOW + DAY), 0),
        (Flavour.PAYMENTS, (NOW - PLAN.reach, NOW + DAY), 0),
        (Flavour.ORDERS, (NOW - PLAN.reach, NOW + timedelta(hours=1) + DAY), 0),
        (Flavour.PAYMENTS, (NOW - PLAN.reach, NOW + timedelta(hours=1) + DAY), 0),
    ]


async def test_a_clock_that_went_back_does_not_make_a_sweep_begin_in_the_future(
    counter: Counter, provider: ListingProvider
) -> None:
    ahead = Sweep(shop_id=SHOP, name=PLAN.name, swept_until=None)
    assert await counter.payments.claim_sweep(SHOP, name=PLAN.name, every=timedelta()) == ahead
    await counter.payments.finish_sweep(ahead, until=NOW + timedelta(hours=3))
    counter.desk = replace(counter.desk, clock=lambda: NOW)

    await swept(counter)

    assert provider.asked[0][1][0] == NOW - PLAN.reach


@pytest.mark.parametrize("fault", GONE)
async def test_a_list_that_cannot_be_read_is_read_again_from_where_it_was(
    counter: Counter, provider: ListingProvider, fault: Exception
) -> None:
    provider.fault = fault

    news = await swept(counter)

    assert (news, await is_due_again_from(counter)) == (0, None)


async def test_every_page_of_the_list_is_read(counter: Counter, provider: ListingProvider) -> None:
    strangers = [counter.provider.stranger(name) for name in "ABC"]
    provider.pages = [[stranger] for stranger in strangers]

    news = await swept(counter)

    assert news == 3
    assert [page for flavour, _, page in provider.asked if flavour is Flavour.ORDERS] == [0, 1, 2]


async def test_a_pager_that_the_server_ignores_is_left_at_its_second_page(
    counter: Counter, provider: ListingProvider
) -> None:
    provider.pages, provider.is_endless = [[counter.provider.stranger("A")]], True

    news = await swept(counter)

    assert news == 1
    assert [page for flavour, _, page in provider.asked if flavour is Flavour.ORDERS] == [0, 1]


async def test_a_list_without_an_end_is_cut_off_after_two_thousand_pages(
    counter: Counter, provider: ListingProvider
) -> None:
    waiting = replace(counter.provider.stranger("A"), status=P.WAITING)
    provider.pages = [[replace(waiting, provider_id=f"A{n}")] for n in range(2001)]
    provider.is_endless = True

    await swept(counter)

    asked = [page for flavour, _, page in provider.asked if flavour is Flavour.ORDERS]
    assert (len(asked), asked[-1]) == (2000, 1999)


@pytest.mark.usefixtures("provider")
async def test_a_payment_that_nobody_told_of_is_news_and_noted_as_a_repair(
    counter: Counter,
) -> None:
    await charged(counter)
    counter.provider.change((await counter.charge()).id, P.PAID)

    news = [await swept(counter)]
    counter.clock.now += PLAN.every
    news.append(await swept(counter))

    report = await counter.reader.reconciliation(SHOP, since=NOW)
    told = [(repair.before, repair.after, repair.source) for repair in report.repaired]
    assert (news, told) == ([1, 0], [(S.WAITING, S.PAID, "sweep")])


@pytest.mark.usefixtures("provider")
async def test_what_leaves_a_charge_as_it_was_is_no_repair(counter: Counter) -> None:
    await charged(counter)
    await counter.paid()
    counter.provider.pay_again((await counter.charge()).id)

    news = await swept(counter)

    assert (news, await counter.kinds()) == (1, ["second_payment"])
    assert (await counter.reader.reconciliation(SHOP, since=NOW)).repaired == ()


async def test_money_of_others_is_a_case_and_their_open_codes_are_nothing(
    counter: Counter, provider: ListingProvider
) -> None:
    paid = counter.provider.stranger("A")
    provider.pages = [[paid, replace(paid, provider_id="B", status=P.WAITING)]]

    news = await swept(counter)

    assert (news, await counter.kinds()) == (1, ["paid_and_unknown"])
    assert await is_due_again_from(counter) is not None


async def test_a_list_that_is_older_than_our_books_is_no_news(
    counter: Counter, provider: ListingProvider
) -> None:
    made = await charged(counter)
    old = replace(made, status=P.PAID, paid=made.amount, updated_at=NOW - DAY)
    provider.pages = [[old]]

    news = await swept(counter)

    assert (news, (await counter.charge()).status) == (0, S.WAITING)


async def test_a_payment_whose_order_is_out_of_sight_is_no_news_yet(
    counter: Counter, provider: ListingProvider
) -> None:
    await charged(counter)
    charge = await counter.charge()
    second = counter.provider.pay_again(charge.id)
    del counter.provider.orders[charge.id]
    provider.pages = [[second]]

    news = await swept(counter)

    assert (news, await counter.kinds()) == (0, [])
    assert await is_due_again_from(counter) is not None


@pytest.mark.usefixtures("provider")
async def test_a_charge_in_review_is_no_news_however_often_it_is_listed(counter: Counter) -> None:
    await charged(counter)
    charge = await counter.charge()
    wrong = counter.provider.change(charge.id, P.PAID)
    counter.provider.orders[charge.id] = replace(wrong, paid=Money.parse("58.79"))

    news = [await swept(counter)]
    counter.clock.now += PLAN.every
    news.append(await swept(counter))

    assert (news, (await counter.charge()).status) == ([1, 0], S.REVIEW)


@pytest.mark.parametrize("fault", GONE)
async def test_an_order_that_cannot_be_read_puts_the_rest_of_the_sweep_off(
    counter: Counter, provider: ListingProvider, fault: Exception
) -> None:
    await charged(counter)
    second = counter.provider.pay_again((await counter.charge()).id)
    provider.pages = [[second, counter.provider.stranger("A")]]
    provider.unreadable = fault

    news = await swept(counter)

    assert (news, await counter.kinds()) == (0, [])
    assert await is_due_again_from(counter) is None


async def test_a_fact_that_cannot_be_applied_hides_nothing_behind_it_and_is_looked_at_again(
    counter: Counter, provider: ListingProvider
) -> None:
    await charged(counter)
    second = counter.provider.pay_again((await counter.charge()).id)
    provider.pages = [[second, counter.provider.stranger("A")]]
    provider.unreadable = ZeroDivisionError("a fault of ours")

    news = await swept(counter)

    assert (news, await counter.kinds()) == (1, ["paid_and_unknown"])
    assert await is_due_again_from(counter) is None
