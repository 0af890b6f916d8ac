"""The table of auth as moto plays it, a clock that a test moves, and Maria."""

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from auth_lambda.chalicelib.applications import Applicant
from auth_lambda.chalicelib.pseudonyms import Email, Pseudonyms
from auth_lambda.chalicelib.table import Table
from comanda.cpf import CPF
from comanda.ids import ShopId
from tests.identity_builders import Clock

ANA = ShopId("lanchonete-da-ana")
BETO = ShopId("cantina-do-beto")
NAMES = Pseudonyms(b"k" * 32)
MARIA = Applicant(
    cpf=CPF("123.456.789-09"),
    name="Maria",
    email=Email("maria@exemplo.com.br"),
    consent_version="2026-11",
    consented_at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="sa-east-1")
        client.create_table(
            TableName="customers",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Table(client, "customers")
