"""A short attack of every door of every document; `make attack` is the long one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.postgres import running_postgres
from tests.identity_doors import lambda_environment
from tests.security.bed import Answer, opened_bed
from tests.security.fuzzing import Operation, after, attack, hole_in
from workers.catalog.migrate import migrate as migrate_catalog
from workers.payments.migrate import migrate as migrate_payments

SECONDS = 8.0
SEED = 20261121


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder: Path = tmp_path_factory.mktemp("attack")
    with (
        lambda_environment(),
        running_postgres(folder / "payments") as payments,
        running_postgres(folder / "catalog") as catalog,
    ):
        migrate_payments(payments)
        migrate_catalog(catalog)
        yield payments, catalog


async def test_no_door_breaks_under_hostile_requests(databases: tuple[str, str]) -> None:
    payments, catalog = databases

    async with opened_bed(payments_dsn=payments, catalog_dsn=catalog) as bed:
        found = await attack(bed, seed=SEED, is_over=after(SECONDS))

    assert found.holes == {}
    assert set(found.doors) == set(bed.documents)
    assert found.count > 500
    # Doors that refuse everything would stand any attack.
    assert found.statuses[200] + found.statuses[201] + found.statuses[204] > found.count / 50


@pytest.mark.parametrize(
    ("answer", "hole"),
    [
        ({"status": 500, "fault": "DataError: NUL"}, "the app raised"),
        ({"status": 500}, "not documented"),
        ({"status": 404, "headers": {"content-type": "text/html"}}, "no problem document"),
        ({"status": 200, "body": b"x" * 70_000}, "more than 65536 bytes"),
        ({"status": 200, "seconds": 9.0}, "too long"),
        ({"status": 200, "body": b"Traceback (most recent call last)"}, "Traceback"),
        ({"status": 200}, ""),
    ],
)
def test_the_attack_knows_a_hole_when_it_sees_one(answer: dict[str, object], hole: str) -> None:
    operation = Operation(
        service="orders",
        method="GET",
        path="/",
        parameters=(),
        schema={},
        statuses=frozenset({200, 404}),
    )
    whole = Answer(**{"status": 200, "headers": {}, "body": b"", "seconds": 0.1, **answer})

    assert hole in hole_in(whole, operation=operation)
    assert bool(hole) == bool(hole_in(whole, operation=operation))
