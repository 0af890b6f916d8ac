"""Days of birth that can be, and birthdays of who was born on 29 February."""

from datetime import date

import pytest

from auth_lambda.chalicelib.birthdays import (
    InvalidBirthDate,
    age_on,
    birthday_in,
    read_birth_date,
)

TODAY = date(2026, 11, 21)
LEAP = date(2008, 2, 29)


@pytest.mark.parametrize("text", ["2008-02-29", "1990-12-31", "2014-11-21", "1896-11-22"])
def test_a_real_day_is_read(text: str) -> None:
    assert read_birth_date(text, today=TODAY).isoformat() == text


@pytest.mark.parametrize(
    "text",
    [
        *("2007-02-29", "1900-02-29", "1990-02-30", "1990-13-01", "1990-00-10"),
        *("20000229", "2000-W09-2", "2000-060", "29/02/2000", "", "1990-1-1", "１９９０-01-01"),
        *("2014-11-22", "2026-11-22", "3000-01-01", "1895-01-01"),
    ],
)
def test_a_day_that_never_was_or_of_a_child_is_refused(text: str) -> None:
    with pytest.raises(InvalidBirthDate):
        read_birth_date(text, today=TODAY)


@pytest.mark.parametrize(
    ("year", "birthday"),
    [(2024, date(2024, 2, 29)), (2025, date(2025, 3, 1)), (2100, date(2100, 3, 1))],
)
def test_who_was_born_on_29_february_has_a_birthday_each_year(year: int, birthday: date) -> None:
    assert birthday_in(LEAP, year) == birthday


@pytest.mark.parametrize(
    ("day", "age"),
    [(date(2026, 2, 28), 17), (date(2026, 3, 1), 18), (date(2028, 2, 28), 19)],
)
def test_they_come_of_age_on_the_first_of_march(day: date, age: int) -> None:
    assert age_on(LEAP, day) == age


def test_they_turn_twenty_on_the_day_itself() -> None:
    assert age_on(LEAP, date(2028, 2, 29)) == 20
