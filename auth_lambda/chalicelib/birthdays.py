"""Dates of birth: real days of the past, and what 29 February means in a common year."""

from datetime import date

_OLDEST = 130
# LGPD, art. 14: of younger children no data may be taken without a parent's own consent.
YOUNGEST = 12


class InvalidBirthDate(ValueError):
    """The text is no day on which a customer can have been born."""


def read_birth_date(text: str, *, today: date) -> date:
    """Read YYYY-MM-DD; raise `InvalidBirthDate` for days that never were, or who is too young."""
    # `fromisoformat` alone would also take 20000229 and 2000-W09-2.
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or "W" in text or not text.isascii():
        raise InvalidBirthDate("a day such as 1990-12-31 is needed")
    try:
        born = date.fromisoformat(text)
    except ValueError as exc:
        raise InvalidBirthDate("there is no such day") from exc
    if not 0 <= today.year - born.year <= _OLDEST or born > today:
        raise InvalidBirthDate("nobody who lives was born on that day")
    if age_on(born, today) < YOUNGEST:
        raise InvalidBirthDate(f"customers are {YOUNGEST} years old or older")
    return born


def age_on(born: date, day: date) -> int:
    """Count the whole years of somebody's life on this day."""
    return day.year - born.year - (day < birthday_in(born, day.year))


def birthday_in(born: date, year: int) -> date:
    """Give the birthday of a year; 29 February is 1 March where there is none.

    Código Civil, art. 132, § 3: a term of years that ends on a day that the month lacks ends on
    the next one.
    """
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
