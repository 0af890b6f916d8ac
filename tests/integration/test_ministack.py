"""ministack, as the laptop runs it, keeps what it acknowledged through SIGKILL."""

import io
import subprocess
import threading
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.provision.context import REPOSITORY
from local.supervisor.ports import reserve_ports

PASSWORD = "Feijoada-123"


class Ministack:
    """A server that can be killed and started again on the same folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._folder, self._port = folder, port
        self.process = self._start()

    def client(self, service: str) -> Any:
        return boto3.session.Session().client(
            service,
            endpoint_url=self.url,
            region_name="sa-east-1",
            aws_access_key_id="laptop",
            aws_secret_access_key="laptop",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5),
        )

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            body: bytes = answer.read()
        return body

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.kill()
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        python = REPOSITORY / ".venv-ministack" / "bin" / "python"
        serve = REPOSITORY / "local" / "ministack" / "serve.py"
        command = (str(python), str(serve), "--port", str(self._port), "--data", str(self._folder))
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while True:
            try:
                self.get("/_ministack/ready")
            except OSError:
                assert process.poll() is None, "ministack ended while starting"
                assert time.monotonic() < until, "ministack did not come up"
                time.sleep(0.02)
            else:
                return process


@contextmanager
def running_ministack(folder: Path) -> Iterator[Ministack]:
    with reserve_ports(1) as (port,):
        ministack = Ministack(folder, port)
        try:
            yield ministack
        finally:
            ministack.kill()


@pytest.fixture
def ministack(tmp_path: Path) -> Iterator[Ministack]:
    with running_ministack(tmp_path) as ministack:
        yield ministack


def make_table(dynamodb: Any) -> None:
    keys = {"pk": "HASH", "sk": "RANGE"}
    dynamodb.create_table(
        TableName="orders",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in (*keys, "board")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "board",
                "KeySchema": [{"AttributeName": "board", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def pair(worker: int, number: int, *, token: str = "") -> dict[str, Any]:
    items = [
        {"pk": {"S": f"{worker}-{number}"}, "sk": {"S": side}, "board": {"S": "open"}}
        for side in ("left", "right")
    ]
    writes = [
        {
            "Put": {
                "TableName": "orders",
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }
        for item in items
    ]
    count = {
        "Update": {
            "TableName": "orders",
            "Key": {"pk": {"S": f"count-{worker}"}, "sk": {"S": "count"}},
            "UpdateExpression": "ADD made :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    request: dict[str, Any] = {"TransactItems": [*writes, count]}
    return {**request, "ClientRequestToken": token} if token else request


def write_until_killed(client: Any, worker: int, acknowledged: list[tuple[int, int]]) -> None:
    for number in range(100_000):
        try:
            client.transact_write_items(**pair(worker, number))
        except (BotoCoreError, ClientError):
            return
        acknowledged.append((worker, number))


def all_items(client: Any) -> list[dict[str, Any]]:
    pages = client.get_paginator("scan").paginate(TableName="orders")
    return [item for page in pages for item in page["Items"]]


def test_concurrent_transactions_survive_sigkill_whole_and_once(ministack: Ministack) -> None:
    make_table(ministack.client("dynamodb"))
    acknowledged: list[tuple[int, int]] = []
    threads = [
        threading.Thread(
            target=write_until_killed, args=(ministack.client("dynamodb"), worker, acknowledged)
        )
        for worker in range(6)
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 30
    while len(acknowledged) <= 200 and time.monotonic() < until:
        time.sleep(0.01)
    ministack.kill()
    for thread in threads:
        thread.join()
    ministack.restart()

    items = all_items(ministack.client("dynamodb"))
    pairs: dict[str, set[str]] = {}
    counted = 0
    for item in items:
        if item["sk"]["S"] == "count":
            counted += int(item["made"]["N"])
        else:
            pairs.setdefault(item["pk"]["S"], set()).add(item["sk"]["S"])
    assert len(acknowledged) > 200
    assert {f"{worker}-{number}" for worker, number in acknowledged} <= set(pairs)
    assert all(sides == {"left", "right"} for sides in pairs.values())
    assert counted == len(pairs)


def test_what_was_deleted_stays_deleted_and_indexes_are_rebuilt(ministack: Ministack) -> None:
    dynamodb = ministack.client("dynamodb")
    make_table(dynamodb)
    for number in range(3):
        dynamodb.transact_write_items(**pair(0, number))
    dynamodb.delete_item(TableName="orders", Key={"pk": {"S": "0-1"}, "sk": {"S": "left"}})

    ministack.restart()
    ministack.restart()

    answer = ministack.client("dynamodb").query(
        TableName="orders",
        IndexName="board",
        KeyConditionExpression="board = :open",
        ExpressionAttributeValues={":open": {"S": "open"}},
    )
    assert answer["Count"] == 5


def test_a_transaction_repeated_after_sigkill_is_known_by_its_token(ministack: Ministack) -> None:
    make_table(ministack.client("dynamodb"))
    ministack.client("dynamodb").transact_write_items(**pair(0, 0, token="same"))

    ministack.restart()
    dynamodb = ministack.client("dynamodb")
    dynamodb.transact_write_items(**pair(0, 0, token="same"))

    key = {"pk": {"S": "count-0"}, "sk": {"S": "count"}}
    assert dynamodb.get_item(TableName="orders", Key=key)["Item"]["made"]["N"] == "1"


def test_pools_users_sessions_keys_and_secrets_survive_sigkill(ministack: Ministack) -> None:
    cognito = ministack.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="staff")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="comanda",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="ana")
    cognito.admin_set_user_password(
        UserPoolId=pool, Username="ana", Password=PASSWORD, Permanent=True
    )
    tokens = cognito.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ana", "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    keys = ministack.get(f"/{pool}/.well-known/jwks.json")
    ministack.client("secretsmanager").create_secret(Name="comanda/key", SecretString="azul")

    ministack.restart()

    renewed = ministack.client("cognito-idp").initiate_auth(
        ClientId=client,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
    )
    secret = ministack.client("secretsmanager").get_secret_value(SecretId="comanda/key")
    assert renewed["AuthenticationResult"]["AccessToken"]
    assert ministack.get(f"/{pool}/.well-known/jwks.json") == keys
    assert secret["SecretString"] == "azul"


def test_what_a_sigkill_leaves_unpacked_is_cleared_away_by_the_next_start(tmp_path: Path) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 7\n")
    with running_ministack(tmp_path) as ministack:
        functions = ministack.client("lambda")
        functions.create_function(
            FunctionName="seven",
            Runtime="python3.11",
            Role="arn:aws:iam::000000000000:role/any",
            Handler="app.handler",
            Code={"ZipFile": code.getvalue()},
        )
        answer = functions.invoke(FunctionName="seven")["Payload"].read()
        unpacked = list((tmp_path / "scratch").iterdir())

        ministack.restart()

        assert answer == b"7"
        assert unpacked
        assert not set(unpacked) & set((tmp_path / "scratch").iterdir())


def test_sigterm_ends_it_at_once(tmp_path: Path) -> None:
    with running_ministack(tmp_path) as ministack:
        ministack.client("dynamodb").list_tables()

        ministack.process.terminate()

        assert ministack.process.wait(timeout=20) == 0
