"""All processes of the laptop: their commands, environments, needs, and when they are ready."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cryptography.fernet import Fernet

from comanda.ids import ShopId
from comanda.settings import topology
from local.postgres.cluster import prepare_cluster
from local.provision.context import REPOSITORY, ProvisionContext, StaffLogin
from local.provision.secrets import bank_configuration, forwarding_keys, run_secrets
from local.provision.steps import Provisioning
from local.servers import GivenServer, OwnServer
from local.supervisor.parts import Part, Probe, Process
from local.supervisor.ports import reserve_ports
from local.supervisor.probes import http, tcp

STAGE = "laptop"
SHOPS = (ShopId("lanchonete-da-ana"), ShopId("cantina-do-beto"))
CONTEXTS = ("orders", "payments", "catalog", "archive")
EMAIL_SENDER = "Comanda <nao-responda@comanda.example>"
GUEST_ISSUER = "urn:comanda:laptop:guests"
DATABASES = {"payments": "payments", "catalog": "catalog"}
STAND_INS = ("postgres", "bus", "ministack", "mercadopago")
DOORS = ("edge", "auth", "webhooks")
SCREENS = "console"
# Only where traces are asked for.
TRACES = "traces"
PORTS = (*STAND_INS, *DOORS, *CONTEXTS, *(f"{name}-worker" for name in CONTEXTS), SCREENS)
# Only these wait for the pools of Cognito, which take longest to make.
CHECKING_TOKENS = ("auth", *CONTEXTS)
MINISTACK_PYTHON = REPOSITORY / ".venv-ministack" / "bin" / "python"


class Laptop:
    """The description of one run, whose addresses are known before anything starts."""

    def __init__(
        self,
        folder: Path,
        *,
        ports: Mapping[str, int],
        server: OwnServer | GivenServer,
    ) -> None:
        self._folder = folder
        self._ports = ports
        self._server = server
        # Whoever is signed in on a laptop's screens is so until the laptop stops.
        self._console_key = Fernet.generate_key().decode()
        self._secrets = run_secrets(folder / "secrets.json", stage=STAGE, shops=SHOPS)
        self.urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self.urls["postgres"] = server.address
        self._context = ProvisionContext(
            stage=STAGE,
            shops=SHOPS,
            aws_url=self.urls["ministack"],
            bus_url=self.urls["bus"],
            python=sys.executable,
        )
        self._provisioning = Provisioning(
            self._context, topology=topology(), secrets=self._secrets, dsn_of=server.dsn_of
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """Give what leads a process to the stand-ins."""
        return self._context.environment

    @property
    def staff(self) -> tuple[StaffLogin, ...]:
        """Give who can sign in as staff, once they are provisioned."""
        return self._provisioning.staff()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Give all processes and steps, the stand-ins first."""
        return (
            *self._server.parts(port=self._ports["postgres"]),
            *self._stand_ins(),
            *self._collector(),
            *self._provisioning.steps(),
            *self._edge(),
            *(part for name in CONTEXTS for part in self._context_parts(name)),
            # It needs nobody to start; it is told to stop before those whom it asks.
            self._module(SCREENS, ("console.screens",), ("auth", *CONTEXTS), is_http=True),
        )

    def environment_of(self, name: str) -> Mapping[str, str]:
        """Give the variables of one process; those that provisioning finds out once it has."""
        if name in (*STAND_INS, TRACES):
            return {}
        if name == "edge":
            return {**self.environment, **self._port("edge"), "COMANDA_EDGE_ROUTES": self._routes()}
        if name == SCREENS:
            return {**self.environment, **self._port(name), **self._screens()}
        context = {"auth": "customers"}.get(name, name.removesuffix("-worker"))
        return {
            **self.environment,
            **(self._tokens() if name in CHECKING_TOKENS else {}),
            **self._provisioning.messaging_of(context),
            **self._stores_of(context),
            **self._port(name),
            "COMANDA_MERCADOPAGO_URL": self.urls["mercadopago"],
            "COMANDA_ORDERS_URL": self.urls["orders"],
            # All of a laptop's guests have one address, and a load test is a crowd.
            "COMANDA_GUESTS_PER_ADDRESS": "1000000",
            "COMANDA_EMAIL_SENDER": EMAIL_SENDER,
            "COMANDA_WEBHOOKS_TO_LOOPBACK": "true",
            **self._traces(name),
        }

    def _traces(self, name: str) -> dict[str, str]:
        if TRACES not in self._ports:
            return {}
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.urls[TRACES],
            "OTEL_SERVICE_NAME": name,
            # Whoever looks at an order has just placed it.
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "COMANDA_TRACES_RATIO": "1",
        }

    def _tokens(self) -> dict[str, str]:
        return {
            **self._provisioning.tokens(),
            "COMANDA_GUEST_ISSUER": GUEST_ISSUER,
            "COMANDA_GUEST_JWKS_URL": f"{self.urls['auth']}/apis/auth/jwks.json",
        }

    def _stores_of(self, context: str) -> dict[str, str]:
        stores = {
            "COMANDA_ORDERS_TABLE": f"comanda-{STAGE}-orders",
            "COMANDA_CUSTOMERS_TABLE": f"comanda-{STAGE}-customers",
            "COMANDA_ARCHIVE_TABLE": f"comanda-{STAGE}-archive",
            "COMANDA_ARCHIVE_BUCKET": f"comanda-{STAGE}-archive",
        }
        if context in DATABASES:
            stores["COMANDA_DATABASE_URL"] = self._server.dsn_of(DATABASES[context])
        return stores

    def _port(self, name: str) -> dict[str, str]:
        variable = "COMANDA_HEALTH_PORT" if name.endswith("-worker") else "COMANDA_HTTP_PORT"
        return {variable: str(self._ports[name])}

    def _routes(self) -> str:
        routes = {f"/apis/{name}": self.urls[name] for name in ("auth", *CONTEXTS)}
        screens = dict.fromkeys(("/loja", "/assets"), self.urls[SCREENS])
        return json.dumps({**routes, "/webhooks": self.urls["webhooks"], **screens})

    def _screens(self) -> dict[str, str]:
        names = ("auth", *CONTEXTS)
        return {
            **{f"COMANDA_{name.upper()}_URL": self.urls[name] for name in names},
            "COMANDA_PUBLIC_URL": self.urls["edge"],
            "COMANDA_CONSOLE_KEYS": self._console_key,
            "COMANDA_FORWARDING_KEYS": forwarding_keys(self._secrets, stage=STAGE),
            # The edge, which tells whom it saw as CloudFront and the load balancer do.
            "COMANDA_TRUSTED_PROXIES": "1",
            "COMANDA_SIMULATOR_URL": self.urls["mercadopago"],
            "COMANDA_PROCESS_URLS": ",".join(
                f"{name}={self.urls[name]}"
                for context in CONTEXTS
                for name in (context, f"{context}-worker")
            ),
        }

    def _stand_ins(self) -> tuple[Process, ...]:
        applications = self._folder / "mercadopago.json"
        configuration = bank_configuration(
            self._secrets, stage=STAGE, shops=SHOPS, edge_url=self.urls["edge"]
        )
        applications.write_text(json.dumps(configuration))
        bank = ("-m", "local.mercadopago", "--config", str(applications))
        serve = str(REPOSITORY / "local" / "ministack" / "serve.py")
        return (
            self._stand_in("bus", (sys.executable, "-m", "local.bus")),
            self._stand_in("mercadopago", (sys.executable, *bank)),
            self._stand_in(
                "ministack",
                (str(MINISTACK_PYTHON), serve),
                is_ready=http(f"{self.urls['ministack']}/_ministack/ready"),
            ),
        )

    def _collector(self) -> tuple[Process, ...]:
        if TRACES not in self._ports:
            return ()
        return (self._stand_in(TRACES, (sys.executable, "-m", "local.traces")),)

    def _stand_in(
        self, name: str, command: tuple[str, ...], *, is_ready: Probe | None = None
    ) -> Process:
        port, data = str(self._ports[name]), self._folder / name
        data.mkdir(exist_ok=True)
        return Process(
            name=name,
            command=(*command, "--port", port, "--data", str(data)),
            is_ready=is_ready or tcp(self._ports[name]),
        )

    def _edge(self) -> tuple[Process, ...]:
        chalice = "local.gateway.chalice_app"
        needs = {"auth": ("messaging", "tables", "secrets", "identity")}
        return (
            *(
                self._module(
                    name,
                    (chalice, f"{name}_lambda", *self._port_option(name)),
                    needs.get(name, ("messaging", "secrets")),
                )
                for name in ("auth", "webhooks")
            ),
            self._module("edge", ("local.gateway.edge", *self._port_option("edge")), ()),
        )

    def _port_option(self, name: str) -> tuple[str, str]:
        return "--port", str(self._ports[name])

    def _context_parts(self, context: str) -> tuple[Process, ...]:
        store = f"{context}-database" if context in DATABASES else "tables"
        # Payments reads each shop's access token, and calls the bank with it.
        more = {"payments": ("secrets", "mercadopago"), "archive": ("buckets",)}.get(context, ())
        needs = ("messaging", store, *more)
        api, worker = f"workers.{context}.api", f"workers.{context}.worker"
        return (
            self._module(context, (api,), (*needs, "identity"), is_http=True),
            self._module(f"{context}-worker", (worker,), needs, is_http=True),
        )

    def _module(
        self, name: str, words: tuple[str, ...], needs: tuple[str, ...], *, is_http: bool = False
    ) -> Process:
        port = self._ports[name]
        return Process(
            name=name,
            command=(sys.executable, "-m", *words),
            environment=partial(self.environment_of, name),
            needs=needs,
            is_ready=http(f"http://127.0.0.1:{port}/health/ready") if is_http else tcp(port),
        )


@contextmanager
def describe_laptop(folder: Path, *, cache: Path, has_traces: bool = False) -> Iterator[Laptop]:
    """Reserve the ports and prepare the stores of a run in `folder`."""
    names = (*PORTS, TRACES) if has_traces else PORTS
    memory = folder / "ports.json"
    is_fresh = not memory.exists()
    last = {} if is_fresh else json.loads(memory.read_text())
    preferred = [last[name] for name in names] if set(last) == set(names) else []
    with reserve_ports(len(names), preferred=preferred) as numbers:
        ports = dict(zip(names, numbers, strict=True))
        memory.write_text(json.dumps(ports))
        given = os.environ.get("DATABASE_URL")
        server: OwnServer | GivenServer
        if given:
            server = GivenServer(
                given, folder=folder, stale=tuple(DATABASES.values()) if is_fresh else ()
            )
        else:
            cluster = prepare_cluster(folder / "postgres", cache=cache)
            server = OwnServer(cluster, port=ports["postgres"])
        yield Laptop(folder, ports=ports, server=server)
