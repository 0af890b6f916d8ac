"""How values are written in Brazil, and what a sealed cookie is worth."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from comanda.money import Money
from console.screens.rendering import templates
from console.screens.sealing import Sealer, TooLarge
from console.screens.stream import event
from console.screens.wording import at, brl, by_shelf, duration, shop_name

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("0.05", "R$\u00a00,05"),
        ("58.80", "R$\u00a058,80"),
        ("1234.56", "R$\u00a01.234,56"),
        (Money(123456789012), "R$\u00a01.234.567.890,12"),
    ],
)
def test_amounts_are_written_as_in_brazil(amount: str | Money, written: str) -> None:
    assert brl(amount) == written


def test_instants_are_those_of_the_shops_clock() -> None:
    assert at(datetime(2026, 11, 21, 2, 30, tzinfo=UTC)) == "20/11 23:30"
    assert at("2026-11-21T15:00:00Z", "%H:%M") == "12:00"
    assert at(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "written"), [(45, "45 s"), (60, "1 min"), (3599, "59 min"), (3900, "1 h 05")]
)
def test_durations_are_short(seconds: int, written: str) -> None:
    assert duration(seconds) == written


def test_a_shops_id_reads_as_its_name() -> None:
    assert shop_name("lanchonete-da-ana") == "Lanchonete da Ana"


def test_shelves_stand_in_the_order_of_the_steps_and_none_is_lost() -> None:
    products = [{"category": c} for c in ("NEW", "DESSERT", "MEAL")]

    assert [shelf for shelf, _, _ in by_shelf(products)] == ["MEAL", "DESSERT", "NEW"]


def test_a_fragment_of_many_lines_is_one_event() -> None:
    assert event("a\nb", ident="7") == "id: 7\ndata: a\ndata: b\n\n"
    assert event("", name="alive") == "event: alive\ndata: \n\n"


def test_an_older_key_still_opens_and_a_foreign_one_does_not() -> None:
    old, new, other = (Fernet.generate_key().decode() for _ in range(3))
    sealed = Sealer(old).seal({"a": 1})

    assert Sealer(f"{new},{old}").open(sealed, age=HOUR) == {"a": 1}
    assert Sealer(other).open(sealed, age=HOUR) is None
    assert Sealer(old).open(sealed, age=-HOUR) is None
    assert Sealer(old).open("", age=HOUR) is None


def test_what_no_browser_would_keep_is_not_sealed() -> None:
    noise = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=8000))
    with pytest.raises(TooLarge):
        Sealer(Fernet.generate_key().decode()).seal({"token": noise})


def test_every_template_escapes_and_can_be_compiled() -> None:
    environment = templates()

    names = environment.list_templates()
    assert names
    assert environment.autoescape is True
    for name in names:
        environment.get_template(name)
