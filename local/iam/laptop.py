"""The laptop with the guard in it: every program has keys of its own and one way to AWS.

What provisions the laptop, drives it and audits it has the account's keys and goes past the guard,
as an administrator goes past the roles of programs.
"""

import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from comanda.settings import topology
from local.iam.asked import ACCOUNT
from local.iam.encryption import key_arn
from local.provision.context import ACCESS_KEY, REGION, REPOSITORY
from local.supervisor.parts import Part, Process
from local.supervisor.ports import reserve_ports
from local.supervisor.probes import http
from local.supervisor.run import Description
from local.supervisor.wrapped import Wrapped
from local.system import CONTEXTS, MINISTACK_PYTHON, STAGE
from terraform.policies import render, workloads

GUARD, RECORD = "guard", "iam.jsonl"
PREFIX = f"comanda-{STAGE}"
# Whose policy each process of the laptop is held to; functions are asked for by their names.
WORKLOADS = {
    "auth": "auth-api",
    "webhooks": "webhooks-api",
    "console": "console-api",
    "auth-finish": "auth-finish",
    **{name: f"{name}-api" for name in CONTEXTS},
    **{f"{name}-worker": f"{name}-worker" for name in CONTEXTS},
}
_SERVE = REPOSITORY / "local" / "iam" / "serve.py"
# On a stage it is in Secrets Manager; a laptop gives it to the screens by itself.
_FOR_CONSOLE = f"comanda/{STAGE}/console/keys"
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL_SQS")


def words() -> dict[str, str]:
    """Give what the policies' words are on a laptop; a pool goes by its name."""
    return {
        "partition": "aws",
        "region": REGION,
        "account": ACCOUNT,
        "prefix": PREFIX,
        "stage": STAGE,
        "mail_domain": "comanda.example",
        "database": "db-LAPTOP",
        "customers_pool": f"{PREFIX}-customers",
        "staff_pool": f"{PREFIX}-staff",
        **{name: key_arn(name) for name in ("data_key", "messaging_key", "secrets_key")},
    }


def policies() -> dict[str, Any]:
    """Give the policies of all workloads as Terraform would render them for a laptop."""
    return {name: render(name, words()) for name in workloads()}


@contextmanager
def guarded_laptop(laptop: Description, *, folder: Path) -> Iterator["GuardedLaptop"]:
    """Put the guard into the description of a run in `folder`."""
    with reserve_ports(1) as (port,):
        yield GuardedLaptop(laptop, folder=folder, port=port)


class GuardedLaptop(Wrapped):
    """The laptop's description, in which programs reach the stand-ins through the guard alone."""

    def __init__(self, description: Description, *, folder: Path, port: int) -> None:
        super().__init__(description)
        self._folder = folder
        self._port = port
        self._keys = {name: _new_keys() for name in workloads()}

    @property
    def urls(self) -> Mapping[str, str]:
        """Give the addresses, the guard's among them."""
        return {**self._description.urls, GUARD: f"http://127.0.0.1:{self._port}"}

    @property
    def parts(self) -> tuple[Part, ...]:
        """Give the laptop's parts behind the guard; what rings by itself is a part of its own."""
        parts = self._description.parts
        auth = next(it for it in parts if isinstance(it, Process) and it.name == "auth")
        return (self._guard(), *map(self._led, parts), self._led(_finishing(auth)))

    def _led(self, part: Part) -> Part:
        if not isinstance(part, Process) or part.name not in (*WORKLOADS, "ministack"):
            return part
        command = (*part.command, "--silent") if part.name == "auth" else part.command
        # Cognito's triggers call from within ministack, so that waits for the guard as well.
        return replace(
            part,
            command=command,
            needs=(*part.needs, GUARD) if part.name in WORKLOADS else part.needs,
            environment=partial(self._environment, part),
        )

    def _environment(self, part: Process) -> Mapping[str, str]:
        if part.name == "ministack":
            return {**part.environment(), **self._of_functions()}
        told = {name: self._past_the_guard(text) for name, text in part.environment().items()}
        key, secret = self._keys[WORKLOADS[part.name]]
        return {
            **told,
            **dict.fromkeys(_ENDPOINTS, self.urls[GUARD]),
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
        }

    def _past_the_guard(self, text: str) -> str:
        # An address of a queue leads to the broker by itself.
        return text.replace(self.urls["bus"], self.urls[GUARD])

    def _of_functions(self) -> dict[str, str]:
        file = self._folder / "function-keys.json"
        keys = {
            f"{it['app']}-{STAGE}{it['suffix']}": self._keys[name]
            for name, it in workloads().items()
            if it["runs_on"] == "function"
        }
        _write_secret(file, keys)
        return {"AWS_ENDPOINT_URL": self.urls[GUARD], "COMANDA_FUNCTION_KEYS": str(file)}

    def _guard(self) -> Process:
        file = self._folder / "iam.json"
        _write_secret(file, self._told())
        record = str(self._folder / RECORD)
        options = ("--port", str(self._port), "--config", str(file), "--record", record)
        return Process(
            name=GUARD,
            command=(str(MINISTACK_PYTHON), str(_SERVE), *options),
            is_ready=http(f"{self.urls[GUARD]}/_guard"),
        )

    def _told(self) -> dict[str, Any]:
        return {
            "account": ACCESS_KEY,
            "workloads": {key: name for name, (key, _) in self._keys.items()},
            "policies": policies(),
            "keys": partition_keys(),
            # A stage's buckets have the account in their names, for those are the whole world's.
            "buckets": {f"{PREFIX}-{it}": f"{PREFIX}-{it}-{ACCOUNT}" for it in _buckets()},
            "secrets": [*json.loads((self._folder / "secrets.json").read_text()), _FOR_CONSOLE],
            "backends": {"bus": self.urls["bus"], "aws": self.urls["ministack"]},
        }


def partition_keys() -> dict[str, dict[str, str]]:
    """Name the partition key of each table of the laptop and of its indexes ("" is the table)."""
    return {
        f"{PREFIX}-{table}": {
            "": shape["hash_key"],
            **{index: it["hash_key"] for index, it in shape["indexes"].items()},
        }
        for context in topology()["contexts"].values()
        for table, shape in context.get("tables", {}).items()
    }


def _buckets() -> list[str]:
    return [it for context in topology()["contexts"].values() for it in context.get("buckets", ())]


def _finishing(auth: Process) -> Process:
    """Give the function that a schedule calls, which has a role of its own."""

    async def always() -> bool:
        return True

    command = (sys.executable, "-m", "local.gateway.schedules", "auth_lambda")
    return replace(auth, name="auth-finish", command=command, is_ready=always)


def _new_keys() -> tuple[str, str]:
    return f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20)


def _write_secret(file: Path, content: Any) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(content, out)
