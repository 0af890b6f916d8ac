"""Options and combos: what may be chosen, sold and edited, on memory and on PostgreSQL."""

from dataclasses import replace

import pytest

from comanda.events import (
    Line,
    Shortage,
    StockRejected,
    StockReserved,
)
from comanda.ids import ProductId
from comanda.menu import Choice, chosen, unit_price
from comanda.money import Money
from tests.catalog_builders import (
    EXTRAS,
    SHOP,
    Store,
    approved,
    change_product,
    edited,
    line,
    placed,
    product,
    slot_of,
)
from workers.catalog.importing import import_sheet
from workers.catalog.managing import (
    create_product,
)
from workers.catalog.products import InvalidProduct, Product


def ordered(of: Product, *picks: tuple[str, str], parts: tuple[Product, ...] = ()) -> Line:
    """Order one product with options, as `orders` makes the line."""
    options = chosen(
        [Choice(group_id=group, option_id=option) for group, option in picks],
        groups=of.option_groups,
        slots=of.slots,
        names={part.id: part.name for part in parts},
    )
    return replace(line(of), options=options, unit_price=unit_price(of.price, options))


async def reasons(store: Store) -> list[str]:
    return [e.reason for e in await store.sent(StockRejected) if isinstance(e, StockRejected)]


async def test_a_line_with_options_is_held_at_the_price_of_both(store: Store) -> None:
    meal = replace(product("meal", price="20.00"), option_groups=(EXTRAS,))
    await store.stock(meal, quantity=5)
    wanted = ordered(meal, ("extras", "ovo"), ("extras", "bacon"))

    await store.deliver(placed(wanted))

    (reserved,) = await store.sent(StockReserved)
    assert isinstance(reserved, StockReserved)
    assert reserved.total == Money.parse("27.50")
    assert (await store.level(meal)).held == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"option_groups": ()}, "options_changed"),
        ({"option_groups": (replace(EXTRAS, minimum=2),)}, "options_changed"),
        (
            {"option_groups": (replace(EXTRAS, options=EXTRAS.options[1:], maximum=1),)},
            "options_changed",
        ),
        (
            {
                "option_groups": (
                    replace(
                        EXTRAS, options=tuple(replace(o, price=o.price * 2) for o in EXTRAS.options)
                    ),
                )
            },
            "price_changed",
        ),
    ],
)
async def test_options_that_changed_during_a_checkout_are_checked_again(
    store: Store, change: dict[str, object], reason: str
) -> None:
    meal = replace(product("meal"), option_groups=(EXTRAS,))
    await store.stock(meal, quantity=5)
    wanted = ordered(meal, ("extras", "bacon"))
    await change_product(replace(meal, **change), catalog=store.catalog)  # type: ignore[arg-type]

    await store.deliver(placed(wanted))

    assert await reasons(store) == [reason]
    assert (await store.level(meal)).held == 0


async def test_a_combo_has_one_price_and_takes_its_parts_from_the_stock(store: Store) -> None:
    burger, water = [await store.stock(product(slug), quantity=2) for slug in ("burger", "agua")]
    combo = replace(
        product("combo", price="30.00"),
        is_stocked=False,
        slots=(slot_of(burger, slot_id="lanche"), slot_of(water)),
    )
    await create_product(combo, catalog=store.catalog, author="ana")
    wanted = ordered(combo, ("lanche", burger.id), ("bebida", water.id), parts=(burger, water))
    order = placed(wanted, line(water))

    await store.deliver(order)
    await store.deliver(placed(wanted))
    await store.deliver(approved(order))

    levels = [await store.level(each) for each in (burger, water, combo)]
    assert [(level.sold, level.left) for level in levels] == [(1, 1), (2, 0), (0, 0)]
    (rejected,) = await store.sent(StockRejected)
    assert isinstance(rejected, StockRejected)
    assert rejected.shortages == (Shortage(product_id=water.id, requested=1, available=0),)


async def test_a_combo_whose_part_is_sold_out_by_the_switch_is_unavailable(store: Store) -> None:
    water = await store.stock(product("agua"), quantity=2)
    combo = replace(product("combo"), is_stocked=False, slots=(slot_of(water),))
    await create_product(combo, catalog=store.catalog, author="ana")
    await edited(store, water, is_available=False)

    await store.deliver(placed(ordered(combo, ("bebida", water.id), parts=(water,))))

    assert await reasons(store) == ["unavailable"]


async def test_a_part_that_its_line_does_not_name_is_refused(store: Store) -> None:
    water = await store.stock(product("agua"), quantity=2)
    combo = replace(product("combo"), is_stocked=False, slots=(slot_of(water),))
    await create_product(combo, catalog=store.catalog, author="ana")
    wanted = ordered(combo, ("bebida", water.id), parts=(water,))
    hidden = replace(wanted, options=(replace(wanted.options[0], product_id=None),))

    await store.deliver(placed(hidden))

    assert await reasons(store) == ["options_changed"]
    assert (await store.level(water)).held == 0


@pytest.mark.parametrize("part", ["nobody", "combo-too", "needs-a-choice", "retired"])
async def test_a_combo_holds_only_plain_products_of_the_menu(store: Store, part: str) -> None:
    water = await store.stock(product("agua"), quantity=1)
    required = replace(EXTRAS, is_required=True, minimum=1)
    await store.stock(replace(product("combo-too"), slots=(slot_of(water),)), quantity=1)
    await store.stock(replace(product("needs-a-choice"), option_groups=(required,)), quantity=1)
    await edited(store, await store.stock(product("retired"), quantity=1), is_removed=True)
    slot = replace(slot_of(water), product_ids=(ProductId(f"product-{part}"),))

    with pytest.raises(InvalidProduct):
        await create_product(
            replace(product("combo"), slots=(slot,)), catalog=store.catalog, author="ana"
        )


async def test_a_part_of_a_combo_may_not_begin_to_need_a_choice(store: Store) -> None:
    water = await store.stock(product("agua"), quantity=1)
    combo = replace(product("combo"), slots=(slot_of(water),))
    await create_product(combo, catalog=store.catalog, author="ana")
    required = replace(EXTRAS, is_required=True, minimum=1)

    with pytest.raises(InvalidProduct, match="a combo holds it"):
        await edited(store, water, option_groups=(required,))


async def test_a_combo_that_lost_a_part_can_still_be_switched_off_but_not_sold(
    store: Store,
) -> None:
    water = await store.stock(product("agua"), quantity=1)
    combo = replace(product("combo"), is_stocked=False, slots=(slot_of(water),))
    await create_product(combo, catalog=store.catalog, author="ana")
    wanted = ordered(combo, ("bebida", water.id), parts=(water,))
    await edited(store, water, is_removed=True)

    await store.deliver(placed(wanted))
    off = await edited(store, combo, is_available=False)
    outcome = await import_sheet(
        "name;category;price\nCombo;MEAL;99",
        shop_id=SHOP,
        catalog=store.catalog,
        author="ana",
        is_dry_run=True,
    )

    assert await reasons(store) == ["unknown_product"]
    assert not off.is_available
    assert [(f.row, f.field) for f in outcome.faults] == [(2, "slots.bebida.product_ids")]
