"""A shop's secrets: kept for a while, read anew on a mismatch, and never a way in when odd."""

import json
import sys
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from comanda.ids import ShopId
from local.gateway.loading import load_app

SHOP = ShopId("lanchonete-da-ana")


class Vault:
    """Secrets Manager and the clock, as a test says."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, tzinfo=UTC)
        self.answer: bytes | Exception = held(["a"])
        self.calls = 0

    def post(self, _body: bytes, _headers: object) -> bytes:
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def wait(self, **duration: int) -> None:
        self.now += timedelta(**duration)


def held(secrets: object) -> bytes:
    return json.dumps({"SecretString": json.dumps({"webhook_secrets": secrets})}).encode()


@pytest.fixture(scope="module")
def modules() -> dict[str, ModuleType]:
    load_app("webhooks_lambda")
    return {name: sys.modules[f"chalicelib.{name}"] for name in ("aws", "secrets")}


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def secrets(modules: dict[str, ModuleType], vault: Vault) -> object:
    return modules["secrets"].ShopSecrets(vault, stage="test", clock=lambda: vault.now)


def test_they_are_read_once_in_five_minutes(secrets: Any, vault: Vault) -> None:
    first = [secrets.of(SHOP) for _ in range(3)]
    vault.wait(minutes=5)
    vault.answer = held(["b", "a"])

    assert first == [("a",)] * 3
    assert secrets.of(SHOP) == ("b", "a")
    assert vault.calls == 2


def test_a_mismatch_reads_them_anew_but_not_in_a_flood(secrets: Any, vault: Vault) -> None:
    secrets.of(SHOP)
    vault.answer = held(["b"])
    at_once = secrets.reread(SHOP)
    vault.wait(seconds=30)

    assert at_once == ("a",)
    assert [secrets.reread(SHOP) for _ in range(3)] == [("b",)] * 3
    assert vault.calls == 2


def test_old_ones_serve_while_the_vault_is_down(secrets: Any, vault: Vault, modules: Any) -> None:
    secrets.of(SHOP)
    vault.wait(minutes=6)
    vault.answer = modules["aws"].AWSUnavailable("down")

    assert secrets.of(SHOP) == ("a",)


@pytest.mark.parametrize("kind", ["AWSUnavailable", "AWSRefused"])
def test_none_at_all_and_a_vault_that_is_down_is_an_outage(
    secrets: Any, vault: Vault, modules: Any, kind: str
) -> None:
    vault.answer = getattr(modules["aws"], kind)("AccessDeniedException")

    with pytest.raises(modules["secrets"].SecretsUnavailable):
        secrets.of(SHOP)


@pytest.mark.parametrize(
    "answer",
    [held("abc"), held(None), held({"a": 1}), b"{}", b"nonsense", b'{"SecretString":"[]"}'],
)
def test_what_is_no_list_of_texts_is_no_secret(secrets: Any, vault: Vault, answer: bytes) -> None:
    vault.answer = answer

    assert secrets.of(SHOP) == ()


def test_made_up_names_of_shops_neither_fill_the_memory_nor_push_a_shop_out(
    modules: dict[str, ModuleType], secrets: Any, vault: Vault
) -> None:
    secrets.of(SHOP)
    vault.answer = modules["aws"].AWSRefused("ResourceNotFoundException")
    most = modules["secrets"].MOST_KEPT

    for number in range(most + 50):
        assert secrets.of(ShopId(f"made-up-{number}")) == ()

    assert len(secrets._kept) == most
    assert secrets.of(SHOP) == ("a",)
