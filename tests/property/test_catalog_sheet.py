"""Whatever is in a sheet, it becomes good products or named faults, and what is written is read."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from comanda.ids import ProductId
from comanda.menu import Category
from comanda.money import Money
from tests.catalog_builders import NOW, SHOP, product
from workers.catalog.products import InvalidProduct, Product, check, folded, tidy
from workers.catalog.sheet import COLUMNS, planned, written

_cells = st.text(max_size=12) | st.sampled_from(
    ["MEAL", "bebida", "7,50", "-1", "sim", "=1+1", "'", '"', "Pão", "99999999999999999999"]
)
_rows = st.lists(st.lists(_cells, max_size=6).map(";".join), max_size=6)
_headers = st.permutations(list(COLUMNS)).map(lambda names: ";".join(names[:6])) | _cells


@settings(max_examples=300, deadline=None)
@given(_headers, _rows)
def test_any_text_is_a_plan_whose_products_are_good_or_whose_faults_have_rows(
    header: str, rows: list[str]
) -> None:
    plan = planned("\n".join([header, *rows]), shop_id=SHOP, products=(product(),), now=NOW)

    for entry in plan.entries:
        check(entry.product)
    assert all(fault.row >= 1 and fault.message for fault in plan.faults)


@st.composite
def menus(draw: st.DrawFn) -> list[Product]:
    """Draw a menu that can stand: good products with names of their own."""
    products: dict[str, Product] = {}
    for number in range(draw(st.integers(min_value=0, max_value=4))):
        drawn = replace(
            product(),
            id=ProductId(f"p-{number}"),
            name=tidy(draw(st.text(min_size=1, max_size=20))),
            description=tidy(draw(st.text(max_size=20))),
            category=draw(st.sampled_from(Category)),
            price=Money(draw(st.integers(min_value=1, max_value=9_999_999))),
            is_available=draw(st.booleans()),
        )
        try:
            check(drawn)
        except InvalidProduct:
            continue
        products.setdefault(folded(drawn.name), drawn)
    return list(products.values())


@settings(max_examples=300, deadline=None)
@given(menus())
def test_what_is_exported_and_imported_is_the_same_menu(menu: list[Product]) -> None:
    plan = planned(written(menu), shop_id=SHOP, products=menu, now=NOW)

    assert plan.faults == ()
    assert [entry.product for entry in plan.entries] == menu
