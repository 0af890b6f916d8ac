"""The worker of payments as its composition root builds it."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from comanda.settings import SettingsError, topology
from local.postgres import running_postgres
from workers.payments.migrate import migrate
from workers.payments.worker import build


async def test_the_worker_handles_all_that_its_queue_subscribes_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_postgres(tmp_path) as dsn:
        migrate(dsn)
        variables = {
            "COMANDA_STAGE": "laptop",
            "COMANDA_TOPIC_ARN": "arn:aws:sns:sa-east-1:000000000000:payments-events",
            "COMANDA_QUEUE_URL": "http://127.0.0.1:1/payments",
            "COMANDA_DLQ_URL": "http://127.0.0.1:1/payments-dlq",
            "COMANDA_SHOPS": "lanchonete-da-ana",
            "COMANDA_DATABASE_URL": dsn,
            "COMANDA_MERCADOPAGO_URL": "http://127.0.0.1:1",
            "AWS_DEFAULT_REGION": "sa-east-1",
            "AWS_ACCESS_KEY_ID": "laptop",
            "AWS_SECRET_ACCESS_KEY": "laptop",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

        async with AsyncExitStack() as stack:
            worker = await build(stack)
            await worker.probe()
            for schedule in worker.schedules:
                await schedule.run()
            swept = await worker.outbox.sweep()

    heard = {event.wire_type for event in worker.handlers}
    assert heard == set(topology()["contexts"]["payments"]["subscribes"])
    assert (worker.context, swept) == ("payments", 0)


async def test_a_worker_without_its_environment_says_all_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("COMANDA_DATABASE_URL", "COMANDA_MERCADOPAGO_URL", "COMANDA_QUEUE_URL"):
        monkeypatch.delenv(name, raising=False)

    async with AsyncExitStack() as stack:
        with pytest.raises(SettingsError) as caught:
            await build(stack)

    assert "COMANDA_DATABASE_URL is missing" in str(caught.value)
    assert "COMANDA_MERCADOPAGO_URL is missing" in str(caught.value)
