"""Each threat that the documents name is answered by a test that exists."""

import ast
import re
from functools import cache

import pytest

from local.supply.pins import REPOSITORY

TEXT = (REPOSITORY / "docs" / "threat-model.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))
DOORS = ("Orders", "Catalog", "Payments", "Sign-in", "Mercado Pago's webhook", "The screens")


@cache
def names_in(path: str) -> frozenset[str]:
    """Give the names of the tests of a file."""
    tree = ast.parse((REPOSITORY / path).read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_answers_a_threat_exists(path: str, name: str) -> None:
    assert name in names_in(path)


def test_every_line_of_a_table_names_a_test() -> None:
    rows = [line for line in TEXT.splitlines() if re.match(r"\| (?:[STRIDE]|\d+ [\w' ]+) \|", line)]

    assert len(rows) > 50
    assert [row for row in rows if not re.search(r"`tests/[\w/]+\.py::\w+`", row)] == []


def test_every_door_has_a_table() -> None:
    titles = re.findall(r"^## (.+)$", TEXT, flags=re.MULTILINE)

    assert [door for door in DOORS if not any(title.startswith(door) for title in titles)] == []


def test_all_ten_of_owasp_are_named() -> None:
    assert [int(n) for n in re.findall(r"^\| (\d+) [\w' ]+ \|", TEXT, flags=re.MULTILINE)] == [
        *range(1, 11)
    ]
