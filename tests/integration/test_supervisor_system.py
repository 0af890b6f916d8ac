"""The description of the laptop: it can be started, and each process is told what it needs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local.postgres import running_postgres
from local.provision.databases import provision_database
from local.provision.steps import NotProvisioned
from local.servers import GivenServer
from local.supervisor.parts import Process, Step, SystemFailed, check_plan
from local.system import PORTS, Laptop, describe_laptop


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/postgres")
    with describe_laptop(tmp_path, cache=tmp_path / "cache") as laptop:
        yield laptop


def test_all_parts_can_be_started_in_some_order(laptop: Laptop) -> None:
    check_plan(laptop.parts)

    names = {part.name for part in laptop.parts if isinstance(part, Process)}
    assert names == set(PORTS) - {"postgres"}


def test_the_edge_leads_every_public_path_to_its_service(laptop: Laptop) -> None:
    routes = json.loads(laptop.environment_of("edge")["COMANDA_EDGE_ROUTES"])

    assert routes == {
        "/apis/auth": laptop.urls["auth"],
        "/apis/orders": laptop.urls["orders"],
        "/apis/payments": laptop.urls["payments"],
        "/apis/catalog": laptop.urls["catalog"],
        "/apis/archive": laptop.urls["archive"],
        "/webhooks": laptop.urls["webhooks"],
        "/loja": laptop.urls["console"],
        "/assets": laptop.urls["console"],
    }


def test_only_sns_and_sqs_are_played_by_the_bus(laptop: Laptop) -> None:
    environment = laptop.environment

    assert environment["AWS_ENDPOINT_URL"] == laptop.urls["ministack"]
    assert environment["AWS_ENDPOINT_URL_SNS"] == laptop.urls["bus"]
    assert environment["AWS_ENDPOINT_URL_SQS"] == laptop.urls["bus"]


def test_what_is_not_provisioned_yet_is_not_guessed(laptop: Laptop) -> None:
    with pytest.raises(NotProvisioned):
        laptop.environment_of("orders")
    with pytest.raises(NotProvisioned):
        laptop.environment_of("orders-worker")
    with pytest.raises(NotProvisioned):
        laptop.staff  # noqa: B018  # Asking is the act.


def test_a_run_that_goes_on_keeps_its_ports_and_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/postgres")
    with describe_laptop(tmp_path, cache=tmp_path / "cache") as laptop:
        urls = laptop.urls
        check_plan(laptop.parts)
        bank = (tmp_path / "mercadopago.json").read_text()

    with describe_laptop(tmp_path, cache=tmp_path / "cache") as laptop:
        check_plan(laptop.parts)

        assert laptop.urls == urls
        assert (tmp_path / "mercadopago.json").read_text() == bank


def test_a_given_server_gets_databases_of_the_run_and_hides_its_password(tmp_path: Path) -> None:
    url = "postgresql://me:secret@db.local:5432/admin"
    server = GivenServer(url, folder=tmp_path / "here" / "run-2")
    other = GivenServer(url, folder=tmp_path / "there" / "run-2")

    payments = server.dsn_of("payments")
    assert re.fullmatch(
        r"postgresql://me:secret@db\.local:5432/comanda_run_2_[0-9a-f]{8}_payments", payments
    )
    assert payments != other.dsn_of("payments")
    assert server.dsn_of("postgres") == "postgresql://me:secret@db.local:5432/admin"
    assert server.address == "postgresql://db.local:5432"


async def test_a_fresh_run_on_a_given_server_begins_with_empty_databases(tmp_path: Path) -> None:
    with running_postgres(tmp_path / "pg") as url:
        before = GivenServer(url, folder=tmp_path).dsn_of("catalog")
        await provision_database(url, dsn=before)
        with psycopg.connect(before) as connection:
            connection.execute("CREATE TABLE left_behind ()")
        held = psycopg.connect(before)

        for stale, is_left in ((), True), (("catalog", "payments"), False):
            server = GivenServer(url, folder=tmp_path, stale=stale)
            (check,) = server.parts(port=0)
            assert isinstance(check, Step)
            await check.run()
            await provision_database(url, dsn=server.dsn_of("catalog"))
            with psycopg.connect(server.dsn_of("catalog")) as connection:
                found = connection.execute("SELECT to_regclass('left_behind')").fetchone()
            assert (found != (None,)) is is_left
        held.close()


async def test_a_given_server_that_does_not_answer_is_told(laptop: Laptop) -> None:
    check = next(part for part in laptop.parts if part.name == "postgres")
    assert isinstance(check, Step)

    with pytest.raises(SystemFailed, match="DATABASE_URL"):
        await check.run()
