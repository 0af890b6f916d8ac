"""Apply a stage layer by layer, and take it down again.

Every step may be run again: what is there already stays. The first layer holds the bucket of all
states, its own included, so its first apply keeps the state here and then moves it there.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from terraform.tool import (
    FOLDER,
    ROOTS,
    WORK,
    Terraform,
    TerraformFailed,
    find_terraform,
    stage_values,
    variables,
)

# The edge is deployed by Chalice between these: it needs the roles of `identity`, which then
# attaches the functions to its pools, and `edge` stands before what Chalice made.
BEFORE_CHALICE = ("network", "security", "data", "messaging", "identity")
AFTER_CHALICE = ("identity", "cluster", "edge", "observability")
_GLOBAL = "us-east-1"
# What refuses to be deleted until it is told otherwise.
_PROTECTED = ("data", "identity")
# Waiting to be deleted, or kept on purpose: no bill, or a few cents for the states.
_HARMLESS = (":kms:", ":secretsmanager:", ":policy/", ":oidc-provider/", "-state-", "/comanda-ci")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage in one account."""

    name: str
    terraform: Terraform
    values: Mapping[str, Any]
    bucket: str
    is_approved: bool

    def run(self, layer: str, *words: str, shown: bool = False, **more: str) -> str:
        """Run Terraform in a layer with the stage's values; raise `TerraformFailed`."""
        environment = {**variables(self.values), **more}
        return self.terraform.run(FOLDER / layer, words, environment=environment, is_shown=shown)

    def init(self, layer: str, *more: str) -> None:
        """Open the state of a layer."""
        region = self.values["region"]
        where = (f"-backend-config=bucket={self.bucket}", f"-backend-config=region={region}")
        self.run(layer, "init", "-input=false", "-lockfile=readonly", *where, *more)

    def apply(self, layer: str, **more: str) -> None:
        """Show the changes of a layer and make them, once they are approved."""
        print(f"--- {layer}")
        approved = ("-auto-approve",) if self.is_approved else ()
        self.run(layer, "apply", *approved, shown=True, **more)


def open_stage(name: str, *, is_approved: bool) -> Stage:
    """Find Terraform, the stage's values and the account; raise `TerraformFailed`."""
    terraform = find_terraform()
    if terraform is None:
        raise TerraformFailed("there is no terraform on the path")
    values = stage_values(name)
    session = boto3.session.Session(region_name=values["region"])
    account = session.client("sts").get_caller_identity()["Account"]
    bucket = f"comanda-{name}-state-{account}"
    terraform = replace(terraform, data=WORK / "stages" / name)
    return Stage(
        name=name, terraform=terraform, values=values, bucket=bucket, is_approved=is_approved
    )


def apply_stage(stage: Stage, *, deploy_edge: Callable[[str], None], has_bucket: bool) -> None:
    """Apply all layers in order, the edge by Chalice among them."""
    _apply_bootstrap(stage, has_bucket=has_bucket)
    for layer in BEFORE_CHALICE:
        stage.init(layer, "-reconfigure")
        stage.apply(layer)
    deploy_edge(stage.name)
    for layer in AFTER_CHALICE:
        stage.init(layer, "-reconfigure")
        stage.apply(layer)


def destroy_stage(
    stage: Stage, *, delete_edge: Callable[[str], None], balancers: Sequence[str] = ()
) -> None:
    """Destroy all layers but the first, which holds the states and costs cents.

    Raise `TerraformFailed` while there are load balancers that the cluster made: without the
    cluster nobody deletes them, they cost, and the network could not go.
    """
    if balancers:
        raise TerraformFailed(
            f"the cluster still has {', '.join(balancers)}:"
            f" kubectl delete namespace comanda-{stage.name}, wait a minute, and begin again"
        )
    for layer in ("observability", "edge", "cluster"):
        _destroy(stage, layer)
    delete_edge(stage.name)
    for layer in ("identity", "messaging", "data", "security", "network"):
        _destroy(stage, layer)


def leftovers(stage: Stage) -> list[str]:
    """Give what still carries the tags of the stage or of its cluster, and may cost money."""
    ours = {"project": "comanda", "environment": stage.name}
    found = {*_tagged(stage.values["region"], ours), *cluster_balancers(stage)}
    # CloudFront, and what stands before it, are in one region for the whole world.
    found |= set(_tagged(_GLOBAL, ours))
    return sorted(arn for arn in found if not any(word in arn for word in _HARMLESS))


def cluster_balancers(stage: Stage) -> list[str]:
    """Give the load balancers that controllers made in the stage's cluster."""
    tags = ("elbv2.k8s.aws/cluster", "eks:eks-cluster-name")
    found = [
        arn
        for tag in tags
        for arn in _tagged(stage.values["region"], {tag: f"comanda-{stage.name}"})
    ]
    return sorted({arn for arn in found if ":loadbalancer/" in arn})


def _tagged(region: str, tags: Mapping[str, str]) -> list[str]:
    tagging = boto3.session.Session(region_name=region).client("resourcegroupstaggingapi")
    filters = [{"Key": key, "Values": [value]} for key, value in tags.items()]
    pages = tagging.get_paginator("get_resources").paginate(TagFilters=filters)
    return [it["ResourceARN"] for page in pages for it in page["ResourceTagMappingList"]]


def bucket_exists(stage: Stage) -> bool:
    """Tell whether the bucket of the states is there."""
    try:
        boto3.session.Session(region_name=stage.values["region"]).client("s3").head_bucket(
            Bucket=stage.bucket
        )
    except ClientError as exc:
        if exc.response["Error"]["Code"] in ("404", "NoSuchBucket"):
            return False
        raise
    return True


def _apply_bootstrap(stage: Stage, *, has_bucket: bool) -> None:
    if has_bucket:
        stage.init(ROOTS[0], "-reconfigure")
        stage.apply(ROOTS[0])
        return
    override = FOLDER / ROOTS[0] / "backend_override.tf"
    local = Path.home() / f".comanda-{stage.name}-bootstrap.tfstate"
    override.write_text(f'terraform {{\n  backend "local" {{\n    path = "{local}"\n  }}\n}}\n')
    try:
        stage.run(ROOTS[0], "init", "-input=false", "-lockfile=readonly", "-reconfigure")
        stage.apply(ROOTS[0])
    finally:
        override.unlink()
    stage.init(ROOTS[0], "-migrate-state", "-force-copy")
    print(f"the state of {ROOTS[0]} lies in {stage.bucket} now; {local} may go", file=sys.stderr)


def _destroy(stage: Stage, layer: str) -> None:
    stage.init(layer, "-reconfigure")
    unprotected = {"TF_VAR_deletion_protection": "false"}
    if layer in _PROTECTED:
        stage.apply(layer, **unprotected)
    approved = ("-auto-approve",) if stage.is_approved else ()
    print(f"--- {layer}, down")
    stage.run(layer, "destroy", *approved, shown=True, **unprotected)
