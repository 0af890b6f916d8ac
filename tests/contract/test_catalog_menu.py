"""One suite for making a menu and running a shop, on memory and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from comanda.events import (
    Event,
    Line,
    ProductChanged,
    ProductRemoved,
    ShopChanged,
    Shortage,
    StockRejected,
    StockReserved,
)
from comanda.hours import InvalidHours, OpeningHours, ShopSwitch
from comanda.ids import ProductId
from comanda.menu import Category, Choice, ComboSlot, Option, OptionGroup, chosen, unit_price
from comanda.money import Money
from local.postgres import running_postgres
from tests.catalog_builders import (
    NOW,
    OTHER_SHOP,
    SHOP,
    Store,
    approved,
    change_product,
    failed,
    line,
    opened_store,
    placed,
    product,
)
from workers.catalog.importing import import_sheet
from workers.catalog.managing import (
    NameTaken,
    ProductUnknown,
    VersionMismatch,
    create_product,
    edit_product,
)
from workers.catalog.migrate import migrate
from workers.catalog.model import Correction, Delivery, MoveKind, StockLevel
from workers.catalog.opening import change_shop
from workers.catalog.pictures import picture_of
from workers.catalog.products import InvalidProduct, Product
from workers.catalog.seed import product_id, seed_shop
from workers.catalog.storeroom import (
    CorrectionTooLarge,
    ImpossibleQuantity,
    KeyReused,
    StockUnknown,
    correct_stock,
    receive_stock,
)

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
EXTRAS = OptionGroup(
    id="extras",
    name="Adicionais",
    is_required=False,
    minimum=0,
    maximum=2,
    options=(
        Option(id="bacon", name="Bacon", price=Money.parse("4.50")),
        Option(id="ovo", name="Ovo", price=Money.parse("3.00")),
    ),
)


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("catalog")) as dsn:
        migrate(dsn)
        yield dsn


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    async with opened_store(request) as store:
        yield store


def slot_of(*parts: Product, slot_id: str = "bebida") -> ComboSlot:
    ids = tuple(part.id for part in parts)
    return ComboSlot(id=slot_id, name="Bebida", is_required=True, product_ids=ids)


def ordered(of: Product, *picks: tuple[str, str], parts: tuple[Product, ...] = ()) -> Line:
    """Order one product with options, as `orders` makes the line."""
    options = chosen(
        [Choice(group_id=group, option_id=option) for group, option in picks],
        groups=of.option_groups,
        slots=of.slots,
        names={part.id: part.name for part in parts},
    )
    return replace(line(of), options=options, unit_price=unit_price(of.price, options))


def correction(of: Product, change: int, *, key: str = "count-1") -> Correction:
    return Correction(
        id=key,
        shop_id=of.shop_id,
        product_id=of.id,
        change=change,
        author="ana",
        reason="two fell down",
    )


async def recomputed(store: Store, of: Product) -> StockLevel:
    """Replay a product's ledger from its first line."""
    level = StockLevel(product_id=of.id)
    for move in await store.reader.moves(of.shop_id, of.id, after=0, limit=500):
        level = level.follow(move)
    return level


async def reasons(store: Store) -> list[str]:
    return [e.reason for e in await store.sent(StockRejected) if isinstance(e, StockRejected)]


async def test_all_that_a_menu_says_is_kept_and_told(store: Store) -> None:
    drink = await store.stock(product("agua"), quantity=1)
    full = replace(
        product("combo"),
        description="Com tudo",
        position=7,
        is_stocked=False,
        option_groups=(EXTRAS,),
        slots=(slot_of(drink),),
    )

    saved = await create_product(full, catalog=store.catalog, author="ana")

    assert await store.reader.find_product(SHOP, full.id) == replace(full, version=1)
    told = (await store.sent(ProductChanged))[-1]
    assert isinstance(told, ProductChanged)
    assert (told.version, told.description, told.position) == (1, "Com tudo", 7)
    assert (told.option_groups, told.slots) == (full.option_groups, full.slots)
    assert saved.version == 1


async def test_an_edit_of_an_older_version_changes_nothing(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=1)
    dearer = Money.parse("30.00")

    await edit_product(
        SHOP,
        meal.id,
        lambda found: replace(found, price=dearer),
        catalog=store.catalog,
        author="ana",
        version=1,
    )
    with pytest.raises(VersionMismatch) as late:
        await edit_product(
            SHOP,
            meal.id,
            lambda found: replace(found, name="Late"),
            catalog=store.catalog,
            author="bia",
            version=1,
        )

    assert late.value.current == 2
    assert await store.reader.find_product(SHOP, meal.id) == replace(meal, version=2, price=dearer)
    history = await store.reader.prices(SHOP, meal.id)
    assert [(p.version, p.price, p.author) for p in history] == [
        (2, dearer, "ana"),
        (1, meal.price, "ana"),
    ]
    assert {p.since for p in history} == {NOW}


async def test_a_product_of_another_shop_cannot_be_edited(store: Store) -> None:
    theirs = await store.stock(product("meal", shop_id=OTHER_SHOP), quantity=1)

    with pytest.raises(ProductUnknown):
        await edit_product(SHOP, theirs.id, lambda p: p, catalog=store.catalog, author="ana")


async def test_a_retired_product_frees_its_name_and_comes_back_only_to_a_free_one(
    store: Store,
) -> None:
    old = await store.stock(product("meal"), quantity=1)
    retired = await _set(store, old, is_removed=True)
    namesake = await create_product(
        replace(product("other"), name="MEAL"), catalog=store.catalog, author="ana"
    )

    with pytest.raises(NameTaken):
        await _set(store, old, is_removed=False)
    await _set(store, namesake, is_removed=True)
    restored = await _set(store, old, is_removed=False)

    assert (retired.version, restored.version) == (2, 3)
    assert [p.id for p in await store.reader.menu(SHOP)] == [old.id]
    assert [e.subject for e in await store.sent(ProductRemoved)] == [old.id, namesake.id]


async def test_search_knows_no_accents_no_case_and_no_wildcards(store: Store) -> None:
    for slug, name, text in (
        ("a", "Pão de Açúcar", "doce"),
        ("b", "PÃO na chapa", ""),
        ("c", "Suco 100%", "só fruta"),
    ):
        await store.stock(replace(product(slug), name=name, description=text), quantity=1)

    async def found(*words: str, category: Category | None = None) -> list[str]:
        hits = await store.reader.search(SHOP, words=words, category=category)
        return [hit.id.removeprefix("product-") for hit in hits]

    assert sorted(await found("pao")) == ["a", "b"]
    assert await found("pao", "acucar") == ["a"]
    assert await found("fruta") == ["c"]
    assert await found("100%") == ["c"]
    assert await found("%") == ["c"]
    assert await found("_") == []
    assert await found("pao", category=Category.DRINK) == []
    assert await store.reader.search(OTHER_SHOP, words=["pao"], category=None) == []


async def test_the_menu_follows_the_steps_then_position_then_name(store: Store) -> None:
    for slug, category, position in (
        ("d", Category.DESSERT, 0),
        ("b", Category.MEAL, 1),
        ("z", Category.MEAL, 0),
        ("a", Category.MEAL, 1),
    ):
        each = replace(product(slug), category=category, position=position)
        await store.stock(each, quantity=1)

    menu = await store.reader.menu(SHOP)

    assert [p.id.removeprefix("product-") for p in menu] == ["z", "a", "b", "d"]


async def test_a_picture_is_kept_as_long_as_a_product_shows_it(store: Store) -> None:
    one, two = [await store.stock(product(slug), quantity=1) for slug in ("um", "dois")]
    first, second = (picture_of(PNG + more, shop_id=SHOP) for more in (b"1", b"2"))

    async def show(of: Product, picture: object) -> None:
        await edit_product(
            SHOP,
            of.id,
            lambda found: replace(found, picture=picture.digest),  # type: ignore[attr-defined]
            catalog=store.catalog,
            author="ana",
            picture=picture,  # type: ignore[arg-type]
        )

    await show(one, first)
    await show(two, first)
    await show(one, second)
    kept = await store.reader.picture(SHOP, first.digest)
    await show(two, second)

    assert kept == first
    assert await store.reader.picture(SHOP, first.digest) is None
    assert await store.reader.picture(SHOP, second.digest) == second
    assert await store.reader.picture(OTHER_SHOP, second.digest) is None


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
    await _set(store, water, is_available=False)

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
    await _set(store, await store.stock(product("retired"), quantity=1), is_removed=True)
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
        await _set(store, water, option_groups=(required,))


async def test_a_combo_that_lost_a_part_can_still_be_switched_off_but_not_sold(
    store: Store,
) -> None:
    water = await store.stock(product("agua"), quantity=1)
    combo = replace(product("combo"), is_stocked=False, slots=(slot_of(water),))
    await create_product(combo, catalog=store.catalog, author="ana")
    wanted = ordered(combo, ("bebida", water.id), parts=(water,))
    await _set(store, water, is_removed=True)

    await store.deliver(placed(wanted))
    off = await _set(store, combo, is_available=False)
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


async def test_a_retired_product_is_edited_by_the_same_rules(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=1)
    await _set(store, meal, is_removed=True)

    with pytest.raises(InvalidProduct):
        await _set(store, meal, name="a\u0000b")


async def test_a_key_that_named_another_quantity_is_refused(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=5)
    delivery = Delivery(id="first", shop_id=SHOP, product_id=meal.id, quantity=6)
    await correct_stock(correction(meal, 1), catalog=store.catalog)

    with pytest.raises(KeyReused):
        await receive_stock(delivery, catalog=store.catalog)
    with pytest.raises(KeyReused):
        await correct_stock(correction(meal, 2), catalog=store.catalog)

    assert (await store.level(meal)).received == 6


async def test_what_is_not_counted_never_runs_out(store: Store) -> None:
    coffee = replace(product("cafe"), is_stocked=False)
    await create_product(coffee, catalog=store.catalog, author="ana")
    order = placed(line(coffee, 500))

    await store.deliver(order)
    await store.deliver(approved(order))

    assert len(await store.sent(StockReserved)) == 1
    assert await store.level(coffee) == StockLevel(product_id=coffee.id)
    assert await store.reader.refusals(SHOP, limit=10) == []


async def test_what_stops_being_counted_still_gives_back_what_it_held(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=5)
    order = placed(line(meal, 2))
    await store.deliver(order)
    await _set(store, meal, is_stocked=False)

    await store.deliver(failed(order))

    level = await store.level(meal)
    assert (level.held, level.left) == (0, 5)


async def test_the_level_can_be_recomputed_from_the_ledger(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=10)
    bought, left = placed(line(meal, 3)), placed(line(meal, 2))
    for event in (bought, left, approved(bought), failed(left), placed(line(meal))):
        await store.deliver(event)
    await correct_stock(correction(meal, -2), catalog=store.catalog)

    moves = await store.reader.moves(SHOP, meal.id, after=0, limit=100)

    assert [(m.kind, m.quantity) for m in moves] == [
        (MoveKind.RECEIVED, 10),
        (MoveKind.HELD, 3),
        (MoveKind.HELD, 2),
        (MoveKind.SOLD, 3),
        (MoveKind.RELEASED, 2),
        (MoveKind.HELD, 1),
        (MoveKind.CORRECTED, -2),
    ]
    assert (moves[-1].author, moves[-1].reason) == ("ana", "two fell down")
    assert await recomputed(store, meal) == await store.level(meal)
    (audit,) = await store.reader.audit(SHOP)
    assert audit.agrees_with_ledger
    assert (audit.received, audit.delivered, audit.reserved, audit.bought) == (8, 8, 1, 3)
    assert await store.reader.moves(SHOP, meal.id, after=moves[0].sequence, limit=2) == moves[1:3]
    assert await store.reader.moves(OTHER_SHOP, meal.id, after=0, limit=9) == []


async def test_a_correction_counts_once_and_never_takes_what_is_held(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=5)
    await store.deliver(placed(line(meal, 3)))

    counted = [await correct_stock(correction(meal, -1), catalog=store.catalog) for _ in range(2)]
    with pytest.raises(CorrectionTooLarge) as refused:
        await correct_stock(correction(meal, -2, key="count-2"), catalog=store.catalog)

    assert counted == [True, False]
    assert refused.value.left == 1
    assert (await store.level(meal)).left == 1


async def test_corrections_of_nothing_and_of_nobody_are_refused(store: Store) -> None:
    meal = product("meal")

    with pytest.raises(ImpossibleQuantity):
        await correct_stock(correction(meal, 0), catalog=store.catalog)
    with pytest.raises(StockUnknown):
        await correct_stock(correction(meal, 1), catalog=store.catalog)


async def test_a_shop_decides_and_tells_with_a_growing_version(store: Store) -> None:
    lunch = OpeningHours(weekday=0, opens="11:00", closes="15:00")

    first = await change_shop(
        SHOP,
        lambda found: replace(found, hours=(lunch,), most_in_flight=40, day_begins_at=5),
        catalog=store.catalog,
        version=0,
    )
    closed = await change_shop(
        SHOP, lambda found: replace(found, switch=ShopSwitch.CLOSED), catalog=store.catalog
    )
    same = await change_shop(SHOP, lambda found: found, catalog=store.catalog)
    with pytest.raises(VersionMismatch):
        await change_shop(SHOP, lambda found: found, catalog=store.catalog, version=0)

    assert (first.version, closed.version, same.version) == (1, 2, 2)
    assert await store.reader.rules(SHOP) == closed
    assert (await store.reader.rules(OTHER_SHOP)).version == 0
    told: list[Event] = await store.sent(ShopChanged)
    assert [e.version for e in told if isinstance(e, ShopChanged)] == [1, 2]
    last = told[-1]
    assert isinstance(last, ShopChanged)
    assert (last.switch, last.most_in_flight, last.day_begins_at) == ("CLOSED", 40, 5)
    assert last.hours == (lunch,)


@pytest.mark.parametrize("bad", [{"most_in_flight": 0}, {"day_begins_at": 24}])
async def test_rules_that_no_shop_can_mean_are_refused(store: Store, bad: dict[str, int]) -> None:
    with pytest.raises(InvalidHours):
        await change_shop(SHOP, lambda found: replace(found, **bad), catalog=store.catalog)

    assert await store.sent(ShopChanged) == []


async def test_a_sheet_of_120_products_becomes_the_menu(store: Store) -> None:
    rows = "".join(f"Prato {i};MEAL;{10 + i},50;{i}\n" for i in range(120))
    text = "name;category;price;initial_stock\n" + rows

    async def run(*, is_dry_run: bool) -> tuple[int, int, int]:
        outcome = await import_sheet(
            text, shop_id=SHOP, catalog=store.catalog, author="ana", is_dry_run=is_dry_run
        )
        return outcome.added, outcome.changed, outcome.unchanged

    dry = await run(is_dry_run=True)
    after_dry = await store.reader.menu(SHOP)
    real = await run(is_dry_run=False)

    assert (dry, real, after_dry) == ((120, 0, 0), (120, 0, 0), [])
    menu = await store.reader.menu(SHOP)
    assert len(menu) == len(await store.sent(ProductChanged)) == 120
    assert sum(level.left for level in await store.reader.levels(SHOP)) == sum(range(120))


async def test_one_bad_row_leaves_the_whole_menu_as_it_was(store: Store) -> None:
    await store.stock(product("meal"), quantity=1)
    before = await store.reader.menu(SHOP)

    outcome = await import_sheet(
        "name;category;price\nMeal;MEAL;99\nSuco;DRINK;-1\nPudim;DOCE;9",
        shop_id=SHOP,
        catalog=store.catalog,
        author="ana",
        is_dry_run=False,
    )

    assert [(fault.row, fault.field) for fault in outcome.faults] == [(3, "price"), (4, "category")]
    assert await store.reader.menu(SHOP) == before


async def test_the_seed_run_again_leaves_what_a_shop_edited(store: Store) -> None:
    await seed_shop(SHOP, catalog=store.catalog)
    juice, pudding = (product_id(SHOP, slug) for slug in ("suco-de-caju", "pudim"))
    edits = (
        lambda found: replace(found, price=Money.parse("1.00"), name="Suco da casa"),
        lambda found: replace(found, is_removed=True),
    )
    for edited, edit in zip((juice, pudding), edits, strict=True):
        await edit_product(SHOP, edited, edit, catalog=store.catalog, author="ana")
    before = await store.reader.all_products(SHOP), await store.reader.levels(SHOP)

    await seed_shop(SHOP, catalog=store.catalog)

    assert (await store.reader.all_products(SHOP), await store.reader.levels(SHOP)) == before


async def _set(store: Store, of: Product, **values: object) -> Product:
    return await edit_product(
        of.shop_id,
        of.id,
        lambda found: replace(found, **values),  # type: ignore[arg-type]
        catalog=store.catalog,
        author="ana",
    )
