"""Provisioning: what `topology.json` says is what is there, also when it is run again."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from comanda.ids import ShopId
from comanda.settings import topology
from local.postgres import running_postgres
from local.provision.context import REPOSITORY, ProvisionContext
from local.provision.databases import CommandFailed, can_connect, provision_database, run_module
from local.provision.messaging import provision_messaging
from local.provision.plan import Plan, WrongTopology, plan_for
from local.provision.secrets import bank_configuration, provision_secrets, run_secrets
from local.provision.tables import provision_tables
from local.supervisor.ports import reserve_ports
from local.supervisor.probes import tcp

SHOPS = (ShopId("lanchonete-da-ana"), ShopId("cantina-do-beto"))


@pytest.fixture
def plan() -> Plan:
    return plan_for(topology(), stage="test")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvisionContext]:
    folder = tmp_path_factory.mktemp("stand-ins")
    with reserve_ports(2) as (aws, bus):
        serve = str(REPOSITORY / "local" / "ministack" / "serve.py")
        python = str(REPOSITORY / ".venv-ministack" / "bin" / "python")
        commands = {
            aws: (python, serve, "--port", str(aws), "--data", str(folder / "aws")),
            bus: (sys.executable, "-m", "local.bus", "--port", str(bus), "--data", str(folder)),
        }
        children = [subprocess.Popen(command, cwd=REPOSITORY) for command in commands.values()]
        try:
            yield ProvisionContext(
                stage="test",
                shops=SHOPS,
                aws_url=f"http://127.0.0.1:{aws}",
                bus_url=f"http://127.0.0.1:{bus}",
                python=sys.executable,
            )
        finally:
            for child in children:
                child.kill()
                child.wait()


async def wait_for(url: str) -> None:
    probe = tcp(int(url.rpartition(":")[2]))
    until = time.monotonic() + 60
    while not await probe():
        assert time.monotonic() < until, f"nobody answers at {url}"
        time.sleep(0.02)


def client(context: ProvisionContext, service: str) -> Any:
    return boto3.session.Session().client(service, **context.client_options(service))


def test_each_subscription_hears_of_one_topic_only_what_its_context_handles(plan: Plan) -> None:
    heard = {
        (it.publisher, it.subscriber): json.loads(it.filter_policy) for it in plan.subscriptions
    }

    assert heard["orders", "catalog"] == {
        "type": ["orders.order.placed.v1", "orders.order.cancelled.v1"]
    }
    assert ("webhooks", "orders") not in heard


def test_names_and_defaults_of_queues_come_from_the_topology(plan: Plan) -> None:
    queue = plan.queues["orders"]

    assert (queue.name, queue.dlq_name) == ("comanda-test-orders", "comanda-test-orders-dlq")
    assert queue.visibility_seconds == topology()["queue_defaults"]["visibility_seconds"]
    assert plan.topics["customers"] == "comanda-test-customers-events"
    assert plan.databases == ("payments", "catalog")


def test_a_queue_may_differ_from_the_defaults() -> None:
    changed = json.loads(json.dumps(topology()))
    changed["contexts"]["orders"]["queue"] = {"visibility_seconds": 90}

    assert plan_for(changed, stage="test").queues["orders"].visibility_seconds == 90


def test_a_subscription_to_what_nobody_publishes_is_refused() -> None:
    changed = json.loads(json.dumps(topology()))
    changed["contexts"]["orders"]["subscribes"].append("kitchen.oven.exploded.v1")

    with pytest.raises(WrongTopology, match=r"orders subscribes to kitchen\.oven\.exploded\.v1"):
        plan_for(changed, stage="test")


async def test_tables_have_their_indexes_and_time_to_live_also_the_second_time(
    context: ProvisionContext, plan: Plan
) -> None:
    await wait_for(context.aws_url)

    await provision_tables(context, plan=plan)
    await provision_tables(context, plan=plan)

    dynamodb = client(context, "dynamodb")
    table = dynamodb.describe_table(TableName="comanda-test-orders")["Table"]
    lifetime = dynamodb.describe_time_to_live(TableName="comanda-test-orders")
    indexes = topology()["contexts"]["orders"]["tables"]["orders"]["indexes"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == set(indexes)
    assert lifetime["TimeToLiveDescription"]["AttributeName"] == "expires_at"
    assert "comanda-test-customers" in dynamodb.list_tables()["TableNames"]


async def test_topics_queues_and_subscriptions_are_made_once(
    context: ProvisionContext, plan: Plan
) -> None:
    await wait_for(context.bus_url)

    first = await provision_messaging(context, plan=plan)
    second = await provision_messaging(context, plan=plan)

    sqs = client(context, "sqs")
    answer = sqs.get_queue_attributes(QueueUrl=first.queues["orders"].url, AttributeNames=["All"])
    redrive = json.loads(answer["Attributes"]["RedrivePolicy"])
    subscriptions = client(context, "sns").list_subscriptions_by_topic(
        TopicArn=first.topic_arns["payments"]
    )["Subscriptions"]
    assert first == second
    assert int(redrive["maxReceiveCount"]) == topology()["queue_defaults"]["max_receive_count"]
    assert redrive["deadLetterTargetArn"].endswith("comanda-test-orders-dlq")
    assert len(subscriptions) == 3


async def test_an_event_reaches_only_the_queues_that_want_it(
    context: ProvisionContext, plan: Plan
) -> None:
    await wait_for(context.bus_url)
    made = await provision_messaging(context, plan=plan)
    sns, sqs = client(context, "sns"), client(context, "sqs")

    sns.publish(
        TopicArn=made.topic_arns["orders"],
        Message="placed",
        MessageAttributes={"type": {"DataType": "String", "StringValue": "orders.order.placed.v1"}},
    )

    def bodies(name: str) -> list[str]:
        answer = sqs.receive_message(QueueUrl=made.queues[name].url, WaitTimeSeconds=0)
        return [message["Body"] for message in answer.get("Messages", [])]

    assert bodies("catalog") == ["placed"]
    assert bodies("payments") == []


async def test_secrets_are_invented_once_per_run_and_stored(
    context: ProvisionContext, tmp_path: Path
) -> None:
    await wait_for(context.aws_url)
    file = tmp_path / "secrets.json"
    known = run_secrets(file, stage="test", shops=SHOPS)

    await provision_secrets(context, known=known)
    await provision_secrets(context, known=run_secrets(file, stage="test", shops=SHOPS))

    name = f"comanda/test/{SHOPS[0]}/mercadopago"
    stored = client(context, "secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    guest_key = json.loads(known["comanda/test/guest-signing-key"])
    assert stored == known[name]
    assert guest_key["private_key_pem"].startswith("-----BEGIN PRIVATE KEY-----")
    assert file.stat().st_mode & 0o077 == 0


def test_a_run_that_an_older_release_began_keeps_its_secrets_and_gets_what_it_lacks(
    tmp_path: Path,
) -> None:
    file = tmp_path / "secrets.json"
    made = dict(run_secrets(file, stage="test", shops=SHOPS))
    lacking = made.pop("comanda/test/console/forwarding-keys")
    file.write_text(json.dumps(made))

    again = run_secrets(file, stage="test", shops=SHOPS)

    assert {name: again[name] for name in made} == made
    assert again["comanda/test/console/forwarding-keys"] not in ("", lacking)
    assert run_secrets(file, stage="test", shops=SHOPS) == again


def test_shops_share_no_secret_and_the_bank_knows_each(tmp_path: Path) -> None:
    known = run_secrets(tmp_path / "secrets.json", stage="test", shops=SHOPS)

    applications: Any = bank_configuration(
        known, stage="test", shops=SHOPS, edge_url="http://edge"
    )["applications"]

    assert len({it["access_token"] for it in applications}) == 2
    assert len({tuple(it["webhook_secrets"]) for it in applications}) == 2
    assert applications[0]["webhook_url"] == f"http://edge/webhooks/mercadopago/{SHOPS[0]}"


async def test_a_database_is_made_once(tmp_path: Path) -> None:
    with running_postgres(tmp_path) as server:
        dsn = server.rpartition("/")[0] + "/payments"

        await provision_database(server, dsn=dsn)
        await provision_database(server, dsn=dsn)

        assert await can_connect(dsn)
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("payments",)


async def test_a_command_that_fails_tells_what_it_wrote() -> None:
    with pytest.raises(CommandFailed, match="No module named"):
        await run_module("workers.nowhere.migrate", python=sys.executable, environment={})
