"""Making a menu and running a shop, on memory and on PostgreSQL."""

from dataclasses import replace

import pytest

from comanda.events import (
    Event,
    ProductChanged,
    ProductRemoved,
    ShopChanged,
)
from comanda.hours import InvalidHours, OpeningHours, ShopSwitch
from comanda.menu import Category
from comanda.money import Money
from tests.catalog_builders import (
    EXTRAS,
    NOW,
    OTHER_SHOP,
    SHOP,
    Store,
    edited,
    product,
    slot_of,
)
from workers.catalog.importing import import_sheet
from workers.catalog.managing import (
    NameTaken,
    ProductUnknown,
    VersionMismatch,
    create_product,
    edit_product,
)
from workers.catalog.opening import change_shop
from workers.catalog.pictures import picture_of
from workers.catalog.products import InvalidProduct, Product
from workers.catalog.seed import product_id, seed_shop

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


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
    retired = await edited(store, old, is_removed=True)
    namesake = await create_product(
        replace(product("other"), name="MEAL"), catalog=store.catalog, author="ana"
    )

    with pytest.raises(NameTaken):
        await edited(store, old, is_removed=False)
    await edited(store, namesake, is_removed=True)
    restored = await edited(store, old, is_removed=False)

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


async def test_a_retired_product_is_edited_by_the_same_rules(store: Store) -> None:
    meal = await store.stock(product("meal"), quantity=1)
    await edited(store, meal, is_removed=True)

    with pytest.raises(InvalidProduct):
        await edited(store, meal, name="a\u0000b")


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
    for named, edit in zip((juice, pudding), edits, strict=True):
        await edit_product(SHOP, named, edit, catalog=store.catalog, author="ana")
    before = await store.reader.all_products(SHOP), await store.reader.levels(SHOP)

    await seed_shop(SHOP, catalog=store.catalog)

    assert (await store.reader.all_products(SHOP), await store.reader.levels(SHOP)) == before
