"""Write the configuration of one Chalice stage from what Terraform made.

`.chalice/config.json` in the repository holds what is the same everywhere (memory, timeouts,
functions); roles, names and addresses of a stage are never committed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from terraform.addresses import Addresses
from terraform.tool import FOLDER, REPOSITORY

# The stage of the committed file, from which every other is made.
_PATTERN = "prod"
JSON = dict[str, Any]


def workloads_of(app: str) -> dict[str, str]:
    """Give the workload of each function of an app; its role has the same name."""
    known: dict[str, JSON] = json.loads((FOLDER / "identity" / "workloads.json").read_text())
    return {it["function"]: name for name, it in known.items() if it.get("app") == app}


def stage_config(app: str, *, addresses: Addresses, values: Mapping[str, Any]) -> JSON:
    """Give the whole `config.json` of an app for one stage; raise `NotApplied`.

    Terraform owns the roles, so Chalice makes none and its policy files are not named.
    """
    stage = addresses.stage
    committed = json.loads((REPOSITORY / app / ".chalice" / "config.json").read_text())
    pattern = committed["stages"][_PATTERN]
    roles = {
        function: addresses[f"identity/roles/{workload}"]
        for function, workload in workloads_of(app).items()
    }
    functions = {
        name: {"iam_role_arn": roles[name], **_without_policies(settings)}
        for name, settings in pattern["lambda_functions"].items()
    }
    return {
        **{k: v for k, v in committed.items() if k != "stages"},
        "manage_iam_role": False,
        "stages": {
            stage: {
                **pattern,
                "api_gateway_stage": stage,
                "manage_iam_role": False,
                "iam_role_arn": roles["api_handler"],
                "environment_variables": environment_of(app, addresses=addresses, values=values),
                "lambda_functions": functions,
                "tags": {"project": "comanda", "environment": stage, "layer": "edge"},
            }
        },
    }


def environment_of(app: str, *, addresses: Addresses, values: Mapping[str, Any]) -> dict[str, str]:
    """Give the variables that the functions of an app read; raise `NotApplied`."""
    stage = addresses.stage
    every = {
        "COMANDA_STAGE": stage,
        "COMANDA_SHOPS": ",".join(values["shops"]),
        "COMANDA_TRACES_RATIO": str(values.get("traces_ratio", 0)),
    }
    if app == "webhooks_lambda":
        return {**every, "COMANDA_TOPIC_ARN": addresses["messaging/webhooks/topic_arn"]}
    return {
        **every,
        **_identity(addresses, region=values["region"]),
        "COMANDA_TOPIC_ARN": addresses["messaging/customers/topic_arn"],
        "COMANDA_CUSTOMERS_TABLE": addresses["data/customers_table"],
        "COMANDA_EMAIL_SENDER": addresses["identity/email_sender"],
        "COMANDA_GUEST_ISSUER": f"urn:comanda:{stage}:guests",
        # The app's own keys: compared with, and never fetched by itself.
        "COMANDA_GUEST_JWKS_URL": f"urn:comanda:{stage}:guests:jwks",
        "COMANDA_ORDERS_URL": str(values.get("orders_url", "")),
    }


def write_config(folder: Path, config: JSON) -> None:
    """Write the configuration into the copy of an app that will be deployed."""
    (folder / ".chalice" / "config.json").write_text(json.dumps(config, indent=2))


def _identity(addresses: Addresses, *, region: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for people in ("customer", "staff"):
        pool = addresses[f"identity/{people}_pool_id"]
        issuer = f"https://cognito-idp.{region}.amazonaws.com/{pool}"
        name = f"COMANDA_{people.upper()}"
        found |= {
            f"{name}_POOL_ID": pool,
            f"{name}_CLIENT_ID": addresses[f"identity/{people}_client_id"],
            f"{name}_ISSUER": issuer,
            f"{name}_JWKS_URL": f"{issuer}/.well-known/jwks.json",
        }
    return found


def _without_policies(settings: JSON) -> JSON:
    return {name: value for name, value in settings.items() if name != "iam_policy_file"}
