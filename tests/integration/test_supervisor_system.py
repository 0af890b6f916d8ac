"""The description of the laptop: it can be started, and each process is told what it needs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.provision.steps import NotProvisioned
from local.supervisor.parts import Process, Step, SystemFailed, check_plan
from local.system import PORTS, GivenServer, Laptop, describe_laptop


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


def test_a_given_server_gets_databases_of_the_run_and_hides_its_password() -> None:
    server = GivenServer("postgresql://me:secret@db.local:5432/admin", run="run-2")

    assert (
        server.dsn_of("payments") == "postgresql://me:secret@db.local:5432/comanda_run_2_payments"
    )
    assert server.dsn_of("postgres") == "postgresql://me:secret@db.local:5432/admin"
    assert server.address == "postgresql://db.local:5432"


async def test_a_given_server_that_does_not_answer_is_told(laptop: Laptop) -> None:
    check = next(part for part in laptop.parts if part.name == "postgres")
    assert isinstance(check, Step)

    with pytest.raises(SystemFailed, match="DATABASE_URL"):
        await check.run()
