"""The receiver when what it leans on fails: nothing is acknowledged that is not durable."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from comanda.events import NotificationReceived
from tests import webhooks_edge
from tests.webhooks_edge import (
    OLD_SECRET,
    PATH,
    SHOP,
    A,
    Door,
    ask,
    manifest,
    new_gateway,
    signed,
    v1_of,
)

aws, environment, door = webhooks_edge.aws, webhooks_edge.environment, webhooks_edge.door
# Nobody listens on the discard port, so a call to this address fails at once.
NOWHERE = "http://127.0.0.1:9"
NEW_SECRET = "the-secret-after-the-rotation"


@pytest.fixture
def patch(environment: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_ENDPOINT_URL_SNS", NOWHERE),
        ("COMANDA_TOPIC_ARN", "arn:aws:sns:sa-east-1:123456789012:no-such-topic"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", NOWHERE),
    ],
)
async def test_20_what_is_not_durable_is_not_acknowledged(
    door: Door, patch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    patch.setenv(variable, value)

    answer = await ask(
        new_gateway(), webhooks_edge.GOOD, headers=signed(A), path=PATH, method="POST"
    )

    assert answer.status == 503
    assert answer.problem["detail"]
    assert int(answer.headers["retry-after"]) > 0
    assert door.published() == []


async def test_what_nobody_foresaw_is_a_problem_document_without_a_trace(
    door: Door, patch: pytest.MonkeyPatch
) -> None:
    patch.delenv("COMANDA_TOPIC_ARN")

    answer = await ask(
        new_gateway(), webhooks_edge.GOOD, headers=signed(A), path=PATH, method="POST"
    )

    assert answer.status == 500
    assert answer.problem["title"] == "Internal error"
    assert b"Traceback" not in answer.body
    assert b"TOPIC" not in answer.body


async def test_a_quarantine_that_cannot_be_published_is_not_answered_as_refused(
    door: Door, patch: pytest.MonkeyPatch
) -> None:
    patch.setenv("AWS_ENDPOINT_URL_SNS", NOWHERE)

    answer = await ask(
        new_gateway(), webhooks_edge.GOOD, headers=signed("9" * 64), path=PATH, method="POST"
    )

    assert answer.status == 503


async def test_a_rotated_secret_is_found_by_the_first_notification_that_needs_it(
    door: Door,
) -> None:
    gateway = Door(new_gateway(), door._sqs, door._url)
    _rotate([NEW_SECRET, OLD_SECRET])
    answers = [
        await gateway.send(headers=signed(v1_of(manifest(), secret=secret)))
        for secret in (NEW_SECRET, OLD_SECRET)
    ]

    events: list[Any] = [envelope.event for envelope in door.published()]
    assert [answer.status for answer in answers] == [200, 200]
    assert all(isinstance(event, NotificationReceived) for event in events)
    assert sorted(event.reason for event in events) == ["secret 0", "secret 1"]


def _rotate(secrets: list[str]) -> None:
    value = json.dumps({"access_token": "t", "user_id": "1", "webhook_secrets": secrets})
    vault, name = boto3.client("secretsmanager"), f"comanda/test/{SHOP}/mercadopago"
    vault.put_secret_value(SecretId=name, SecretString=value)
