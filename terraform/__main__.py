"""`python -m terraform`: check, price, apply, rehearse and destroy what Comanda runs on."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from terraform.checking import check
from terraform.tool import REPOSITORY, ROOTS, stage_values

Command = Callable[[argparse.Namespace], int]


def main(words: list[str]) -> int:
    """Do what is asked and give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m terraform", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="fmt, validate and test, without AWS")
    checking.add_argument("roots", nargs="*", choices=[*ROOTS, []], default=[])
    checking.add_argument("--required", action="store_true", help="fail where tools are missing")
    for name, text in (("deploy-edge", "chalice deploy of both apps"), ("delete-edge", "and back")):
        commands.add_parser(name, help=text).add_argument("--stage", required=True)
    cost = commands.add_parser("cost", help="what a month costs, line by line")
    cost.add_argument("--profile", choices=("lean", "production"), default="lean")
    cost.add_argument("--orders", type=int, default=10_000)
    commands.add_parser("rehearse", help="apply, drift check and destroy against moto")
    ready = commands.add_parser("secrets", help="name those that nobody has put yet")
    ready.add_argument("--stage", required=True)
    prepared = commands.add_parser("databases", help="make databases and who signs in to them")
    prepared.add_argument("--stage", required=True)
    prepared.add_argument("--hostaddr", help="the near end of a tunnel into the network")
    prepared.add_argument("--outputs", type=Path, default=REPOSITORY / ".comanda/k8s/outputs.json")
    for name, text in (("apply", "all layers and the edge"), ("destroy", "and down again")):
        changing = commands.add_parser(name, help=text)
        changing.add_argument("--stage", required=True)
        changing.add_argument("--yes", action="store_true", help="do not ask, layer by layer")
    chosen = parser.parse_args(words)
    return _COMMANDS[chosen.command](chosen)


def _check(chosen: argparse.Namespace) -> int:
    return check(tuple(chosen.roots) or ROOTS, is_required=chosen.required)


def _deploy_edge(chosen: argparse.Namespace) -> int:
    from terraform.edge_deploy import deploy_edge

    deploy_edge(chosen.stage)
    return 0


def _delete_edge(chosen: argparse.Namespace) -> int:
    from terraform.edge_deploy import delete_edge

    delete_edge(chosen.stage)
    return 0


def _cost(chosen: argparse.Namespace) -> int:
    from terraform.cost import monthly_cost, render

    print(render(monthly_cost(chosen.profile, orders=chosen.orders), orders=chosen.orders))
    return 0


def _rehearse(_: argparse.Namespace) -> int:
    from terraform.rehearsal import rehearse

    return rehearse()


def _apply(chosen: argparse.Namespace) -> int:
    from terraform.edge_deploy import deploy_edge
    from terraform.layers import apply_stage, bucket_exists, open_stage

    stage = open_stage(chosen.stage, is_approved=chosen.yes)
    apply_stage(stage, deploy_edge=deploy_edge, has_bucket=bucket_exists(stage))
    return 0


def _secrets(chosen: argparse.Namespace) -> int:
    from terraform.secrets import missing_secrets

    missing = missing_secrets(chosen.stage, region=stage_values(chosen.stage)["region"])
    for name in missing:
        print(f"nobody has put {name} yet: aws secretsmanager put-secret-value --secret-id {name}")
    return 1 if missing else 0


def _databases(chosen: argparse.Namespace) -> int:
    from terraform.databases import certificates, databases, master_address, prepare_databases

    master = master_address(
        chosen.stage,
        region=stage_values(chosen.stage)["region"],
        hostaddr=chosen.hostaddr,
        authority=certificates(chosen.outputs),
    )
    made = prepare_databases(master, databases())
    print("\n".join(f"made {it}" for it in made) or "databases and users were there already")
    return 0


def _destroy(chosen: argparse.Namespace) -> int:
    from terraform.edge_deploy import delete_edge
    from terraform.layers import cluster_balancers, destroy_stage, leftovers, open_stage

    stage = open_stage(chosen.stage, is_approved=chosen.yes)
    destroy_stage(stage, delete_edge=delete_edge, balancers=cluster_balancers(stage))
    left = leftovers(stage)
    print("\n".join(["still there:", *left]) if left else "nothing billable is left")
    return 1 if left else 0


_COMMANDS: Mapping[str, Command] = {
    "apply": _apply,
    "secrets": _secrets,
    "databases": _databases,
    "destroy": _destroy,
    "check": _check,
    "rehearse": _rehearse,
    "cost": _cost,
    "deploy-edge": _deploy_edge,
    "delete-edge": _delete_edge,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
