"""The menu of the day: 120 dishes and drinks as the sheet that an owner imports."""

from comanda.menu import Category
from comanda.money import Money

DISHES = 120
# Whatever sells out on purpose is scarce; of all else there is more than a day can eat.
PLENTY = 100_000
PORTIONS = 12
SCARCE = "Feijoada do dia"
CSV = {"Content-Type": "text/csv; charset=utf-8"}

_HEADER = "nome;categoria;preço;posição;controla estoque;estoque inicial"
_SHELVES = tuple(Category)


def sheet() -> bytes:
    """Write the sheet as a spreadsheet in Brazil does."""
    rows = [f"{SCARCE};MEAL;39,90;1;sim;{PORTIONS}"]
    rows += [_row(number) for number in range(1, DISHES)]
    return "\n".join([_HEADER, *rows, ""]).encode()


def _row(number: int) -> str:
    shelf = _SHELVES[number % len(_SHELVES)]
    price = str(Money.parse(f"{5 + number % 37}.{number % 10}0")).replace(".", ",")
    return f"Prato {number:03};{shelf};{price};{number + 1};sim;{PLENTY}"
