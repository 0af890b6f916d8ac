"""The laptop's bucket: made as the topology says, and its objects outlive a SIGKILL."""

import subprocess
import sys
from pathlib import Path

from aiobotocore.session import get_session

from comanda.settings import topology
from local.provision.buckets import provision_buckets
from local.provision.context import REPOSITORY, ProvisionContext
from local.provision.plan import plan_for
from local.supervisor.ports import reserve_ports
from local.supervisor.probes import tcp
from tests.archive_builders import connection, placed
from tests.integration.test_ministack import running_ministack
from workers.archive.model import entry_of
from workers.archive.objects import packed, unpacked
from workers.archive.replay_items import SQSSender

BUCKET = "comanda-test-archive"


async def test_a_replay_reaches_the_other_queue_with_its_provenance(tmp_path: Path) -> None:
    with reserve_ports(1) as (port,):
        command = (sys.executable, "-m", "local.bus", "--port", str(port), "--data", str(tmp_path))
        bus = subprocess.Popen(command, cwd=REPOSITORY)
        try:
            while not await tcp(port)():
                assert bus.poll() is None
            await _send_one(f"http://127.0.0.1:{port}")
        finally:
            bus.kill()
            bus.wait()


async def _send_one(url: str) -> None:
    first = placed()
    async with get_session().create_client("sqs", **connection(url)) as sqs:
        own, other = [
            (await sqs.create_queue(QueueName=f"comanda-test-{name}"))["QueueUrl"]
            for name in ("archive", "catalog")
        ]

        await SQSSender(sqs, own_url=own).send(
            "catalog", [entry_of(first)], provenance={"replay_id": "r-1"}
        )

        answer = await sqs.receive_message(QueueUrl=other, MessageAttributeNames=["All"])
    (message,) = answer["Messages"]
    told = {name: it["StringValue"] for name, it in message["MessageAttributes"].items()}
    assert message["Body"] == first.to_json()
    assert told == {**first.attributes, "replay_id": "r-1"}


async def test_the_bucket_and_its_objects_survive_a_sigkill(tmp_path: Path) -> None:
    plan = plan_for(topology(), stage="test")
    with running_ministack(tmp_path) as ministack:
        context = ProvisionContext(
            stage="test", shops=(), aws_url=ministack.url, bus_url=ministack.url, python=""
        )
        await provision_buckets(context, plan=plan)
        s3 = ministack.client("s3")
        s3.put_object(Bucket=BUCKET, Key="events/2026/11/21/12/a.jsonl.gz", Body=packed(["{}"]))

        ministack.restart()
        await provision_buckets(context, plan=plan)

        got = s3.get_object(Bucket=BUCKET, Key="events/2026/11/21/12/a.jsonl.gz")["Body"].read()
        assert unpacked(got) == ["{}"]
        (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
        days = topology()["contexts"]["archive"]["buckets"]["archive"]["expire_days"]
        assert rule["Expiration"]["Days"] == days
