"""Apply layers to moto as they would be applied to AWS: state in S3 with its lock, drift, destroy.

What moto does not hold, or answers otherwise than it was told, is named in `KNOWN_DRIFT`; every
other difference after an apply is a failure.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import boto3

from comanda.settings import topology
from local.provision.plan import plan_for
from terraform.addresses import note
from terraform.parity import differences
from terraform.tool import FOLDER, REPOSITORY, Terraform, find_terraform, variables

STAGE, REGION = "rehearsal", "sa-east-1"
LAYERS = (("security",), ("messaging", "data"), ("identity",))
BUCKET = f"comanda-{STAGE}-state"
VALUES = {
    "stage": STAGE,
    "region": REGION,
    "shops": ["lanchonete-da-ana"],
    "mail_domain": "comanda.example",
    "deletion_protection": False,
}
# What moto forgets or writes otherwise, by the kind of resource and the beginning of attributes.
KNOWN_DRIFT = {
    "aws_sqs_queue": ("redrive_policy",),
    "aws_sqs_queue_policy": ("policy",),
    "aws_sns_topic_subscription": ("redrive_policy",),
    "aws_db_instance": ("performance_insights",),
    "aws_db_parameter_group": ("parameter",),
    "aws_cognito_user_pool": ("user_pool_tier",),
}
# What network would have told.
_NETWORK = {
    "network/isolated_subnet_ids": "",
    "network/database_security_group_id": "",
    "network/cache_security_group_id": "",
}


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """A moto server and a copy of the roots whose state lies in it."""

    terraform: Terraform
    folder: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """Give what leads Terraform, and boto3, to moto."""
        return {
            **variables(VALUES),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_S3_USE_PATH_STYLE": "true",
            # The provider's 25 attempts would turn each error of moto's into ten minutes.
            "AWS_MAX_ATTEMPTS": "2",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def run(self, layer: str, *words: str) -> str:
        """Run Terraform in the copy of a layer; raise `TerraformFailed`."""
        return self.terraform.run(
            self.folder / "terraform" / layer, words, environment=self.environment
        )

    def client(self, service: str) -> Any:
        """Build a client of moto."""
        return boto3.session.Session().client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="rehearsal",
            aws_secret_access_key="rehearsal",  # noqa: S106  # Opens nothing but moto.
        )


class RehearsalFailed(Exception):
    """The layers could not be applied and destroyed as they should."""


def rehearse() -> int:
    """Apply, look for drift, destroy; give the exit status."""
    terraform = find_terraform()
    if terraform is None or terraform.mirror is None:
        print("SKIPPED: terraform and a mirror of its provider are needed", file=sys.stderr)
        return 1
    with running_moto() as url, tempfile.TemporaryDirectory() as folder:
        terraform = replace(terraform, data=Path(folder) / "data")
        rehearsal = Rehearsal(terraform=terraform, folder=Path(folder), url=url)
        _prepare(rehearsal)
        for layers in LAYERS:
            _each(rehearsal, layers, _apply)
        for layers in LAYERS:
            _each(rehearsal, layers, _find_drift)
        _compare_with_laptop(rehearsal)
        for layers in reversed(LAYERS):
            _each(rehearsal, layers, _destroy)
        return _look_for_leftovers(rehearsal)


@contextmanager
def running_moto() -> Iterator[str]:
    """Start a moto server on loopback and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = str(Path(sys.executable).parent / "moto_server")
    environment = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    process = subprocess.Popen(
        (program, "-H", "127.0.0.1", "-p", str(port)),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _prepare(rehearsal: Rehearsal) -> None:
    unwanted = shutil.ignore_patterns("*.py", "__pycache__", ".terraform", "tests")
    shutil.copytree(FOLDER, rehearsal.folder / "terraform", ignore=unwanted)
    shutil.copy(REPOSITORY / "topology.json", rehearsal.folder)
    rehearsal.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    ec2 = rehearsal.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [it["SubnetId"] for it in ec2.describe_subnets()["Subnets"]][:2]
    group = ec2.create_security_group(GroupName="store", Description="store", VpcId=vpc)["GroupId"]
    told = {**dict.fromkeys(_NETWORK, group), "network/isolated_subnet_ids": ",".join(subnets)}
    note(rehearsal.client("ssm"), stage=STAGE, values=told)
    for layers in LAYERS:
        for layer in layers:
            _override(rehearsal, layer)


def _override(rehearsal: Rehearsal, layer: str) -> None:
    backend = {
        "bucket": BUCKET,
        "key": f"{layer}.tfstate",
        "region": REGION,
        "use_lockfile": True,
        "use_path_style": True,
        "skip_credentials_validation": True,
        "skip_requesting_account_id": True,
        "skip_region_validation": True,
        "endpoints": {"s3": rehearsal.url},
    }
    file = rehearsal.folder / "terraform" / layer / "backend_override.tf.json"
    file.write_text(json.dumps({"terraform": {"backend": {"s3": backend}}}))
    rehearsal.run(layer, "init", "-input=false", "-lockfile=readonly", "-reconfigure")


def _each(rehearsal: Rehearsal, layers: tuple[str, ...], act: Any) -> None:
    with ThreadPoolExecutor(len(layers)) as pool:
        list(pool.map(lambda layer: act(rehearsal, layer), layers))


def _apply(rehearsal: Rehearsal, layer: str) -> None:
    started = perf_counter()
    output = rehearsal.run(layer, "apply", "-auto-approve", "-input=false")
    summary = next(line for line in output.splitlines() if "Apply complete" in line)
    print(f"{layer}: {summary} ({perf_counter() - started:.0f} s)")


def _find_drift(rehearsal: Rehearsal, layer: str) -> None:
    rehearsal.run(layer, "plan", "-input=false", "-out=drift.plan")
    changes = planned_changes(json.loads(rehearsal.run(layer, "show", "-json", "drift.plan")))
    unknown = {
        address: names for address, names in changes.items() if not _is_known(address, names)
    }
    if unknown:
        raise RehearsalFailed(f"{layer} differs after its apply: {unknown}")
    told = f", {len(changes)} differences of moto's own" if changes else ""
    print(f"{layer}: no drift{told}")


def _compare_with_laptop(rehearsal: Rehearsal) -> None:
    found = differences(rehearsal.client, plan_for(topology(), stage=STAGE))
    if found:
        raise RehearsalFailed("Terraform and the laptop differ:\n  " + "\n  ".join(found))
    print("the laptop's provisioning makes the same")


def planned_changes(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Give the attributes that a plan would change of every resource, by address."""
    found = {}
    for it in plan.get("resource_changes", ()):
        if it["mode"] == "managed" and it["change"]["actions"] != ["no-op"]:
            before, after = it["change"]["before"] or {}, it["change"]["after"] or {}
            names = {*before, *after}
            found[it["address"]] = sorted(n for n in names if before.get(n) != after.get(n))
    return found


def _is_known(address: str, names: list[str]) -> bool:
    beginnings = KNOWN_DRIFT.get(address.partition(".")[0], ())
    return bool(beginnings) and all(name.startswith(beginnings) for name in names)


def _destroy(rehearsal: Rehearsal, layer: str) -> None:
    started = perf_counter()
    output = rehearsal.run(layer, "destroy", "-auto-approve", "-input=false")
    summary = next(line for line in output.splitlines() if "Destroy complete" in line)
    print(f"{layer}: {summary} ({perf_counter() - started:.0f} s)")


def _look_for_leftovers(rehearsal: Rehearsal) -> int:
    left = {
        "queues": rehearsal.client("sqs").list_queues().get("QueueUrls", []),
        "topics": rehearsal.client("sns").list_topics()["Topics"],
        "tables": rehearsal.client("dynamodb").list_tables()["TableNames"],
        "databases": rehearsal.client("rds").describe_db_instances()["DBInstances"],
        "pools": rehearsal.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"],
    }
    for kind, found in left.items():
        if found:
            print(f"left behind: {len(found)} {kind}", file=sys.stderr)
    print("nothing billable is left" if not any(left.values()) else "destroy left something")
    return 1 if any(left.values()) else 0


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RehearsalFailed("moto does not start")
