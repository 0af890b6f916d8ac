"""An auditor pages through all orders and keys of a shop, on both stores."""

import pytest

from tests.orders_builders import OTHER_SHOP, SHOP, placed
from tests.orders_stores import Side
from workers.orders.ports import Audited, Page


async def pages_of(side: Side, *, limit: int) -> list[Audited]:
    pages, after = list[Audited](), ""
    while True:
        page = await side.store.audit(SHOP, page=Page(limit=limit, after=after))
        pages.append(page)
        if page.last is None:
            return pages
        after = page.last


@pytest.mark.parametrize("limit", [3, 14])
async def test_every_order_and_every_key_is_in_exactly_one_page(side: Side, limit: int) -> None:
    orders = [await placed(side.till) for _ in range(7)]

    pages = await pages_of(side, limit=limit)

    assert sorted(o.id for page in pages for o in page.orders) == sorted(o.id for o in orders)
    claims = [claim for page in pages for claim in page.claims]
    assert sorted(c.order_id for c in claims) == sorted(o.id for o in orders)
    assert all(claim.answer is not None for claim in claims)
    assert {len(page.orders) + len(page.claims) for page in pages[:-1]} <= {limit}
    assert len(pages) == -(-14 // limit)


async def test_an_audit_of_another_shop_sees_nothing(side: Side) -> None:
    await placed(side.till)

    page = await side.store.audit(OTHER_SHOP, page=Page(limit=10))

    assert page == Audited(orders=(), claims=(), last=None)
