"""The command: `apply`, `diff`, `status`, `rollback`, `outputs`, `render`, `check`, `smoke`,
`access`.

Exit status: 0 done; 1 the rollout failed, or there is drift; 2 nothing was changed, for the stage,
the manifests or the cluster do not allow it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from k8s.access import deployer_access, with_all_components
from k8s.cluster import Cluster, ClusterError, Selection, connect
from k8s.deploying import CannotApply, Deployer, NothingToRollBackTo, Options
from k8s.drift import differences
from k8s.manifests import InvalidManifest, Manifest, dump, in_order, parse
from k8s.outputs import BotoAws, OutputsMissing, gateway_url, read_outputs, write_outputs
from k8s.releases import Releases
from k8s.rendering import CannotRender, render
from k8s.reporting import live_listener, releases_table, workloads_table
from k8s.rollout import Phase, progress_of
from k8s.rules import broken_promises, refused
from k8s.smoke import Doors, walk
from k8s.stage import Decisions, WrongStage, decisions_of, read_stage
from k8s.waiting import Patience, RolloutFailed

app = typer.Typer(no_args_is_help=True, help="Apply Comanda to a cluster, and see how it stands.")
console = Console()

StageName = Annotated[str, typer.Option("--stage", help="dev or production")]
OutputsFile = Annotated[Path, typer.Option("--outputs", help="what Terraform made, as JSON")]
Image = Annotated[str | None, typer.Option("--image", help="name@sha256:…, instead of the file's")]
Given = Annotated[Path | None, typer.Option("--manifests", help="apply this file, render nothing")]
Context = Annotated[str | None, typer.Option("--context", help="of the kubeconfig")]
Force = Annotated[bool, typer.Option("--force", help="take over fields that others own")]
Seconds = Annotated[int, typer.Option("--timeout", help="seconds for migrations and for rollouts")]
_NOTHING_DONE = (
    CannotApply,
    CannotRender,
    InvalidManifest,
    NothingToRollBackTo,
    OutputsMissing,
    WrongStage,
)
DEFAULT_OUTPUTS = Path(".comanda/k8s/outputs.json")


@app.command()
def apply(
    stage: StageName,
    *,
    outputs: OutputsFile = DEFAULT_OUTPUTS,
    image: Image = None,
    manifests: Given = None,
    context: Context = None,
    force: Force = False,
    timeout: Seconds = 600,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="ask the server, change nothing")] = (
        False
    ),
    no_wait: Annotated[bool, typer.Option("--no-wait", help="do not wait for anything")] = False,
    no_rollback: Annotated[bool, typer.Option("--no-rollback", help="leave a failure")] = False,
) -> None:
    """Apply a release: migrations, then rollouts; a failure brings the last good one back."""
    options = Options(
        is_forced=force,
        must_wait=not no_wait,
        may_roll_back=not no_rollback,
        patience=Patience(longest=timedelta(seconds=timeout)),
    )
    with _telling():
        wanted = _wanted(stage, outputs=outputs, image=image, given=manifests)
        _refuse_broken(wanted)
        with live_listener(console) as listener:
            deployer = Deployer(
                connect(context=context), namespace=f"comanda-{stage}", listener=listener
            )
            if dry_run:
                deployer.rehearse(wanted, is_forced=force)
                console.print(f"the cluster would take all {len(wanted)} objects")
                return
            release = deployer.apply(wanted, options)
        console.print(f"release {release.number} is {release.status}")


@app.command()
def diff(
    stage: StageName,
    *,
    outputs: OutputsFile = DEFAULT_OUTPUTS,
    image: Image = None,
    manifests: Given = None,
    context: Context = None,
) -> None:
    """Show what an apply would change; exit 1 when that is something."""
    with _telling():
        wanted = _wanted(stage, outputs=outputs, image=image, given=manifests)
        found = differences(wanted, cluster=connect(context=context))
    for difference in found:
        console.rule(str(difference.key), align="left")
        console.print(difference.text, markup=False, highlight=False, end="", soft_wrap=True)
    console.print(f"{len(found)} of {len(wanted)} objects differ")
    raise typer.Exit(1 if found else 0)


@app.command()
def status(stage: StageName, *, context: Context = None) -> None:
    """Show workloads and releases; exit 1 when a Deployment's rollout failed."""
    namespace = f"comanda-{stage}"
    with _telling():
        cluster = connect(context=context)
        workloads = _workloads(cluster, namespace)
        console.print(workloads_table(workloads))
        console.print(releases_table(Releases(cluster, namespace=namespace).all()))
    deployments = [it for it in workloads if it.kind == "Deployment"]
    if any(progress_of(it).phase is Phase.FAILED for it in deployments):
        raise typer.Exit(1)


@app.command()
def rollback(
    stage: StageName,
    *,
    to: Annotated[int | None, typer.Option("--to", help="the number of a kept release")] = None,
    context: Context = None,
    force: Force = False,
    timeout: Seconds = 600,
) -> None:
    """Apply the release before this one again, without its migrations."""
    options = Options(is_forced=force, patience=Patience(longest=timedelta(seconds=timeout)))
    with _telling():
        with live_listener(console) as listener:
            deployer = Deployer(
                connect(context=context), namespace=f"comanda-{stage}", listener=listener
            )
            release = deployer.roll_back(options, to=to)
        console.print(f"release {release.number} is {release.status}")


@app.command(name="render")
def render_stage(
    stage: StageName, *, outputs: OutputsFile = DEFAULT_OUTPUTS, image: Image = None
) -> None:
    """Print the manifests of a stage, for `kubectl apply --server-side -f -` or for reading."""
    with _telling():
        wanted = in_order(_wanted(stage, outputs=outputs, image=image, given=None))
    typer.echo(dump(wanted), nl=False)


@app.command()
def access(stage: StageName, *, outputs: OutputsFile = DEFAULT_OUTPUTS) -> None:
    """Print what lets CI deploy, for an administrator to apply once.

    `… | kubectl apply --server-side --field-manager comanda -f -`
    """
    with _telling():
        wanted = render(with_all_components(read_stage(stage, outputs=outputs)))
    typer.echo(dump(deployer_access(wanted, stage=stage)), nl=False)


@app.command(name="outputs")
def collect_outputs(
    stage: StageName,
    *,
    image: Image = None,
    outputs: OutputsFile = DEFAULT_OUTPUTS,
) -> None:
    """Read what Terraform made from AWS, and write the file that the others read.

    Without `--image`, the one that was pushed last is taken.
    """
    with _telling():
        region = decisions_of(stage).region
        found = read_outputs(stage, region=region, image=image or None, aws=BotoAws(region=region))
        write_outputs(outputs, found)
    console.print(f"wrote {outputs}")


@app.command()
def check(
    stage: StageName,
    *,
    outputs: OutputsFile = DEFAULT_OUTPUTS,
    image: Image = None,
    manifests: Given = None,
) -> None:
    """Hold the manifests of a stage to our rules, without a cluster."""
    with _telling():
        wanted = _wanted(stage, outputs=outputs, image=image, given=manifests)
        _refuse_broken(wanted)
    console.print(f"{len(wanted)} objects keep all rules")


@app.command()
def smoke(
    stage: StageName = "dev",
    *,
    url: Annotated[str, typer.Option("--url", help="one address for all doors")] = "",
    shop: Annotated[str, typer.Option("--shop", help="else the stage's first")] = "",
) -> None:
    """Walk the public doors of a stage; exit 1 when one is not as it should be."""
    with _telling():
        decided = decisions_of(stage)
        doors = Doors(pods=url, auth=url, webhooks=url) if url else _doors(stage, decided)
    faults = 0
    for seen in walk(doors, shop=shop or decided.shops[0]):
        faults += bool(seen.fault)
        mark = f"FAULT    {seen.what}: {seen.fault}" if seen.fault else f"ok       {seen.what}"
        console.print(mark, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if faults else 0)


def _doors(stage: str, decided: Decisions) -> Doors:
    aws = BotoAws(region=decided.region)
    auth, webhooks = (
        gateway_url(stage, app, region=decided.region, aws=aws) for app in ("auth", "webhooks")
    )
    return Doors(pods=decided.public_url, auth=auth, webhooks=webhooks)


def _wanted(
    stage: str, *, outputs: Path, image: str | None, given: Path | None
) -> tuple[Manifest, ...]:
    if given is not None:
        return parse(given.read_text())
    return render(read_stage(stage, outputs=outputs, image=image))


def _refuse_broken(manifests: tuple[Manifest, ...]) -> None:
    faults = (*refused(manifests), *broken_promises(manifests))
    if faults:
        raise CannotApply("\n".join(str(fault) for fault in faults))


def _workloads(cluster: Cluster, namespace: str) -> tuple[Manifest, ...]:
    kinds = (("apps/v1", "Deployment"), ("batch/v1", "Job"))
    return tuple(
        workload
        for version, kind in kinds
        for workload in cluster.list(Selection(api_version=version, kind=kind, namespace=namespace))
    )


@contextmanager
def _telling() -> Iterator[None]:
    """Turn what may go wrong into one message and an exit status."""
    try:
        yield
    except RolloutFailed as exc:
        typer.echo(f"the rollout failed: {exc}", err=True)
        raise typer.Exit(1) from exc
    except _NOTHING_DONE as exc:
        typer.echo(f"nothing was changed: {exc}", err=True)
        raise typer.Exit(2) from exc
    except (ClusterError, OSError) as exc:
        typer.echo(f"{type(exc).__name__}: {exc}", err=True)
        raise typer.Exit(2) from exc
