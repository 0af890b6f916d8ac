"""Settings: read once, everything wrong told at once."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from comanda.ids import ShopId
from comanda.settings import SettingsError, read, topology

DEFAULT_SHOP = ShopId("lanchonete-da-ana")


@dataclass(frozen=True, kw_only=True)
class Settings:
    stage: str
    shops: tuple[ShopId, ...]
    http_port: int
    shop: ShopId = DEFAULT_SHOP
    rate: float = 1.5
    is_loud: bool = False


GOOD = {
    "COMANDA_STAGE": "laptop",
    "COMANDA_SHOPS": "lanchonete-da-ana, cantina-do-beto",
    "COMANDA_HTTP_PORT": "8080",
}


def test_variables_become_typed_fields() -> None:
    extra = {"COMANDA_RATE": "2.5", "COMANDA_IS_LOUD": "true", "COMANDA_SHOP": "cantina-do-beto"}

    settings = read(Settings, GOOD | extra)

    assert settings == Settings(
        stage="laptop",
        shops=(ShopId("lanchonete-da-ana"), ShopId("cantina-do-beto")),
        http_port=8080,
        shop=ShopId("cantina-do-beto"),
        rate=2.5,
        is_loud=True,
    )


def test_what_has_a_default_may_be_left_out_or_empty() -> None:
    settings = read(Settings, GOOD | {"COMANDA_RATE": "", "COMANDA_IS_LOUD": "false"})

    assert (settings.rate, settings.is_loud) == (1.5, False)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = {
        "COMANDA_SHOPS": "lanchonete-da-ana,NOT A SHOP",
        "COMANDA_HTTP_PORT": "many",
        "COMANDA_IS_LOUD": "yes",
    }

    with pytest.raises(SettingsError) as raised:
        read(Settings, wrong)

    lines = str(raised.value).splitlines()[1:]
    assert [line.split()[0].rstrip(":") for line in lines] == [
        "COMANDA_STAGE",
        "COMANDA_SHOPS",
        "COMANDA_HTTP_PORT",
        "COMANDA_IS_LOUD",
    ]


def test_an_empty_required_variable_is_missing() -> None:
    with pytest.raises(SettingsError, match="COMANDA_STAGE is missing"):
        read(Settings, GOOD | {"COMANDA_STAGE": ""})


@pytest.mark.parametrize("stage", ["prod", "production"])
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"])
def test_production_is_never_led_to_a_stand_in(stage: str, name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is set"):
        read(Settings, GOOD | {"COMANDA_STAGE": stage, name: "http://127.0.0.1:4566"})


def test_a_laptop_may_use_stand_ins() -> None:
    assert read(Settings, GOOD | {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}).stage == "laptop"


def test_the_environment_is_the_process_own_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)

    assert read(Settings).http_port == 8080


def test_the_topology_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "other.json"
    file.write_text(json.dumps({"prefix": "other"}))

    assert topology(str(file)) == {"prefix": "other"}
    assert topology()["prefix"] == "comanda"
