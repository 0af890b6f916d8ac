"""How the audit reads a shop's books: page by page, and once more when an order seems missing."""

from collections.abc import Iterator
from typing import Any

import pytest

from console.audit.books import AuditedLedger, Books
from console.audit.invariants import offenders
from console.audit.reading import read_books
from console.door import Door
from console.places import Login, Places
from tests.payments_scripted import Reply, Script, scripted_server

SHOP = "lanchonete-da-ana"
LEVEL = {"product_id": "p", "received": 9, "held": 0, "sold": 0}
BEFORE = (
    {"charges": [], "next": None},
    {"access_token": "t"},
    {"charges": [], "next": None},
    {"cases": [], "next": None},
)
AFTER = (
    {"levels": [{**LEVEL, "delivered": 9, "reserved": 0, "bought": 0}]},
    {"levels": [{**LEVEL, "ledger_received": 9, "ledger_held": 1, "ledger_sold": 0}]},
    {"reservations": [], "next": None},
)


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


def orders_page(*orders: str, claims: tuple[str, ...] = (), behind: str | None = None) -> Any:
    told = {
        "status": "PENDING_PAYMENT",
        "total": "1.00",
        "refunded": "0.00",
        "paid_by": None,
        "history": ["PENDING_PAYMENT"],
        "version": 1,
        "units": {"p": 2},
        "has_code": False,
    }
    return {
        "orders": [{"id": order, **told} for order in orders],
        "claims": [{"key": f"k-{c}", "order_id": c, "is_answered": True} for c in claims],
        "next": behind,
    }


def read(script: Script, *pages: Any) -> Books:
    script.replies = [Reply(content=content) for content in (*BEFORE, *pages, *AFTER)]
    return read_from(script)


def read_from(script: Script) -> Books:
    places = Places(
        edge=script.url,
        logins={SHOP: Login(username="ana", password="x")},
        simulator=script.url,
    )
    door = Door(places.edge, logins=places.logins)
    return read_books(SHOP, places=places, door=door, days=7)


def asked_of_orders(script: Script) -> list[str]:
    return [a.path.partition("?")[2] for a in script.asked if "/orders/" in a.path]


def test_all_pages_of_orders_are_read(script: Script) -> None:
    books = read(script, orders_page("a", claims=("a",), behind="A"), orders_page("b"))

    assert (sorted(books.orders), len(books.claims)) == (["a", "b"], 1)
    assert asked_of_orders(script) == ["limit=1000", "limit=1000&after=A"]


def test_an_order_placed_behind_a_page_that_was_read_is_found_by_another_look(
    script: Script,
) -> None:
    books = read(
        script,
        orders_page("b", behind="B"),
        orders_page(claims=("a", "b")),
        orders_page("a", "b", behind="B"),
        orders_page(claims=("a", "b", "c")),
    )

    assert sorted(books.orders) == ["a", "b"]
    assert {claim.order_id for claim in books.claims} == {"a", "b"}
    assert [o for o in offenders(books) if o.invariant == 1] == []


def test_an_answer_without_an_order_is_named_after_the_other_look(script: Script) -> None:
    books = read(script, orders_page(claims=("gone",)), orders_page())

    assert [(o.invariant, o.subject) for o in offenders(books) if o.invariant == 1] == [(1, "gone")]


def test_the_ledger_of_the_stock_is_part_of_the_books(script: Script) -> None:
    books = read(script, orders_page())

    assert books.ledger == (AuditedLedger(product_id="p", level=(9, 0, 0), booked=(9, 1, 0)),)
    assert [(o.invariant, o.detail) for o in offenders(books)] == [
        (4, "held is 0, its ledger adds up to 1")
    ]


def test_an_order_of_which_only_its_stock_is_known_is_looked_for_once_more(script: Script) -> None:
    held = {"status": "HELD", "units": {"p": 2}}
    told = [{"order_id": order, **held} for order in ("a", "b", "gone")]
    script.replies = [
        Reply(content=content)
        for content in (
            *BEFORE,
            orders_page("a"),
            *AFTER[:2],
            {"reservations": told, "next": None},
            orders_page("a", "b"),
        )
    ]

    books = read_from(script)

    assert sorted(books.orders) == ["a", "b"]
    found = [(o.subject, o.detail) for o in offenders(books) if o.subject != "p"]
    assert found == [("gone", "stock is held for it, and it is no order")]
