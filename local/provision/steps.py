"""The steps of provisioning for the supervisor, and what they found out."""

import asyncio
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from local.provision.buckets import provision_buckets
from local.provision.context import ProvisionContext, StaffLogin
from local.provision.databases import provision_database, run_module
from local.provision.identity import ProvisionedIdentity, provision_identity
from local.provision.messaging import Messaging, provision_messaging
from local.provision.plan import plan_for
from local.provision.secrets import Secrets, provision_secrets
from local.provision.tables import provision_tables
from local.supervisor.parts import Step

SEEDED = "catalog"


class NotProvisioned(Exception):
    """Somebody asks for what a step has yet to find out."""


class Provisioning:
    """The steps, each idempotent, and their results."""

    def __init__(
        self,
        context: ProvisionContext,
        *,
        topology: Mapping[str, Any],
        secrets: Secrets,
        dsn_of: Callable[[str], str],
    ) -> None:
        self._context = context
        self._plan = plan_for(topology, stage=context.stage)
        self._secrets = secrets
        self._dsn_of = dsn_of
        self._messaging: Messaging | None = None
        self._identity: ProvisionedIdentity | None = None

    def steps(self) -> tuple[Step, ...]:
        """Give the steps with what each needs."""
        databases = tuple(
            Step(name=f"{name}-database", needs=("postgres",), run=partial(self._database, name))
            for name in self._plan.databases
        )
        return (
            Step(name="messaging", needs=("bus",), run=self._make_messaging),
            Step(name="tables", needs=("ministack",), run=self._make_tables),
            Step(name="buckets", needs=("ministack",), run=self._make_buckets),
            Step(name="secrets", needs=("ministack",), run=self._store_secrets),
            Step(name="identity", needs=("ministack",), run=self._make_identity),
            *databases,
            Step(name="menus", needs=("messaging", f"{SEEDED}-database"), run=self._seed),
        )

    def tokens(self) -> Mapping[str, str]:
        """Give who issues tokens, as variables."""
        if self._identity is None:
            raise NotProvisioned("the identities")
        return self._identity.environment()

    def staff(self) -> tuple[StaffLogin, ...]:
        """Give who can sign in as staff."""
        if self._identity is None:
            raise NotProvisioned("the identities")
        return self._identity.staff

    def messaging_of(self, context: str) -> dict[str, str]:
        """Give a context's topic and queues, as variables."""
        if self._messaging is None:
            raise NotProvisioned("the topics and queues")
        topic = self._messaging.topic_arns.get(context)
        variables = {"COMANDA_TOPIC_ARN": topic} if topic else {}
        queue = self._messaging.queues.get(context)
        if queue is not None:
            variables |= {"COMANDA_QUEUE_URL": queue.url, "COMANDA_DLQ_URL": queue.dlq_url}
        return variables

    async def _make_messaging(self) -> None:
        self._messaging = await provision_messaging(self._context, plan=self._plan)

    async def _make_tables(self) -> None:
        await provision_tables(self._context, plan=self._plan)

    async def _make_buckets(self) -> None:
        await provision_buckets(self._context, plan=self._plan)

    async def _store_secrets(self) -> None:
        await provision_secrets(self._context, known=self._secrets)

    async def _make_identity(self) -> None:
        self._identity = await asyncio.to_thread(
            provision_identity,
            stage=self._context.stage,
            shops=self._context.shops,
            environment=self._context.environment,
        )

    async def _database(self, name: str) -> None:
        await provision_database(self._dsn_of("postgres"), dsn=self._dsn_of(name))
        await self._run(f"workers.{name}.migrate", {"COMANDA_DATABASE_URL": self._dsn_of(name)})

    async def _seed(self) -> None:
        database = {"COMANDA_DATABASE_URL": self._dsn_of(SEEDED)}
        await self._run("workers.catalog.seed", {**database, **self.messaging_of(SEEDED)})

    async def _run(self, module: str, variables: Mapping[str, str]) -> None:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = {**inherited, **self._context.environment, **variables}
        await run_module(module, python=self._context.python, environment=environment)
