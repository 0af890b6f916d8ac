"""What broke half-way for a customer is finished, though nobody asks again."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3

from local.gateway.loading import REPOSITORY
from tests import auth_edge
from tests.auth_edge import ANA, TABLE, Edge, new_customer

aws, bus, environment, edge = (
    auth_edge.aws,
    auth_edge.bus,
    auth_edge.environment,
    auth_edge.edge,
)


def table() -> object:
    return boto3.resource("dynamodb").Table(TABLE)


def break_off(customer_id: str) -> None:
    """Leave what a container leaves that died after it had noted an erasure, and nothing more."""
    table().put_item(
        Item={
            "pk": "UNFINISHED",
            "sk": f"ERASURE#{customer_id}",
            "shop_id": ANA,
            "customer_id": customer_id,
            "begun_at": 0,
            "told": "",
        }
    )


def receipt_of(customer_id: str) -> object:
    key = {"pk": f"CUSTOMER#{customer_id}", "sk": "ERASURE"}
    return table().get_item(Key=key, ConsistentRead=True).get("Item")


def notes() -> list[str]:
    items = table().scan(ConsistentRead=True)["Items"]
    return [it["sk"] for it in items if it["pk"] == "UNFINISHED" and "ERASURE" in it["sk"]]


@contextmanager
def laptops_auth() -> Iterator[None]:
    """The app as the laptop runs it, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "local.gateway.chalice_app", "auth_lambda", f"--port={port}"]
    process = subprocess.Popen(
        words, cwd=REPOSITORY, env=dict(os.environ), stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def test_the_laptop_finishes_an_erasure_that_broke_off(edge: Edge) -> None:
    maria = new_customer()
    token = edge.join(ANA, maria)["access_token"]
    customer_id = edge.verifier.verify(token).subject
    break_off(customer_id)

    with laptops_auth():
        deadline = time.monotonic() + 20
        while notes():
            assert time.monotonic() < deadline, "nobody finished the erasure"
            time.sleep(0.05)

    receipt = edge.send("DELETE", f"{ANA}/me", token=token).json_body
    stored = receipt_of(customer_id)
    assert stored["protocol"] == receipt["protocol"]
    assert edge.send("GET", f"{ANA}/me", token=token).status_code == 404
    erased = [it for it in edge.announced() if it["subject"] == customer_id]
    assert "customers.customer.erased.v1" in {it["type"] for it in erased}
    acts = edge.send("GET", f"{ANA}/staff/audit", token=edge.staff_token(ANA, "owner")).json_body
    (act,) = [it for it in acts["acts"] if it["whom"] == receipt["protocol"]]
    assert act["done_at"] is not None


def test_what_is_being_done_right_now_is_left_alone(edge: Edge) -> None:
    customer_id = edge.verifier.verify(edge.join(ANA, new_customer())["access_token"]).subject
    break_off(customer_id)
    table().update_item(
        Key={"pk": "UNFINISHED", "sk": f"ERASURE#{customer_id}"},
        UpdateExpression="SET begun_at = :now",
        ExpressionAttributeValues={":now": int(time.time())},
    )

    edge.client._app.handler_map["finish_what_broke"](EVENT, None)

    assert receipt_of(customer_id) is None
    assert notes() == [f"ERASURE#{customer_id}"]


EVENT = {
    "version": "0",
    "account": "",
    "region": "",
    "detail": {},
    "detail-type": "",
    "source": "",
    "time": "",
    "id": "",
    "resources": [],
}
