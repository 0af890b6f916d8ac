"""What a stage's pods are told: decided by people, made by Terraform, or named by the topology.

People decide `k8s/stages/<stage>.json`. Terraform's part comes as a second JSON file, the outputs;
names of queues, topics and tables follow from `topology.json` with account, region and stage.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from comanda.settings import topology

HERE = Path(__file__).resolve().parent
STAGES = ("dev", "production")
# Where each pod that has a database finds the certificates of RDS.
CA_FILE = Path("/etc/comanda/rds-ca.pem")
_DIGEST = re.compile(r"^[^@\s]+@sha256:[0-9a-f]{64}$")


class WrongStage(Exception):
    """A stage's description is not complete; the message lists every fault."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decisions:
    """What people decide about a stage.

    `traces_url` is where a collector takes OTLP over HTTP, empty where no spans are made; the ratio
    (0 to 1) is the share of traces that are recorded.
    """

    region: str
    shops: tuple[str, ...]
    components: tuple[str, ...]
    mercadopago_url: str
    guest_issuer: str
    public_url: str
    traces_url: str
    traces_ratio: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Outputs:
    """What Terraform and the build made: accounts, pools, subnets, the image by digest.

    `database_ca` are the certificates (PEM) by which RDS proves who it is.
    """

    account: str
    image: str
    customer_issuer: str
    customer_client_id: str
    staff_issuer: str
    staff_client_id: str
    auth_url: str
    database_address: str
    database_port: str
    database_ca: str
    data_cidrs: tuple[str, ...]
    balancer_cidrs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A stage with all that its manifests need."""

    name: str
    decisions: Decisions
    outputs: Outputs

    def __post_init__(self) -> None:
        """Refuse an image that another push could change."""
        if not _DIGEST.match(self.outputs.image):
            raise WrongStage(
                f"the image must be named by digest (name@sha256:…): {self.outputs.image}"
            )

    @property
    def namespace(self) -> str:
        """Name the namespace."""
        return f"comanda-{self.name}"

    def config_maps(self) -> dict[str, dict[str, str]]:
        """Give the variables of all pods (`stage`) and of each context's."""
        contexts = {name: it for name, it in topology()["contexts"].items() if "queue" in it}
        databases = {name: it["database"] for name, it in contexts.items() if "database" in it}
        return {
            "stage": self._shared(),
            "console": self._screens(tuple(contexts)),
            "database-ca": {CA_FILE.name: self.outputs.database_ca},
            **{name: self._of(name, it) for name, it in contexts.items()},
            **{
                f"{context}-migrate": self._database(name, user=f"{context}_owner")
                for context, name in databases.items()
            },
        }

    def _screens(self, contexts: tuple[str, ...]) -> dict[str, str]:
        return {
            **{f"COMANDA_{name.upper()}_URL": f"http://{name}-api:8080" for name in contexts},
            # Whom the page of the topology asks how they are; each name is that of its service.
            "COMANDA_PROCESS_URLS": ",".join(
                f"{name}=http://{name}-api:8080,{name}-worker=http://{name}-worker:9090"
                for name in contexts
            ),
            "COMANDA_AUTH_URL": self.outputs.auth_url,
            "COMANDA_PUBLIC_URL": self.decisions.public_url,
            "COMANDA_TRUSTED_PROXIES": self._proxies(),
        }

    def _proxies(self) -> str:
        # CloudFront and the load balancer; elsewhere browsers come by a tunnel, straight to a pod.
        return "2" if "gateway" in self.decisions.components else "0"

    def _database(self, name: str, *, user: str) -> dict[str, str]:
        where = f"{self.outputs.database_address}:{self.outputs.database_port}"
        # No password: `workers.runtime.postgres_iam` signs in by the pod's own role.
        query = f"sslmode=verify-full&sslrootcert={CA_FILE}"
        return {"COMANDA_DATABASE_URL": f"postgresql+iam://{user}@{where}/{name}?{query}"}

    def _shared(self) -> dict[str, str]:
        made, decided = self.outputs, self.decisions
        return {
            "AWS_REGION": decided.region,
            "AWS_DEFAULT_REGION": decided.region,
            "COMANDA_STAGE": self.name,
            "COMANDA_SHOPS": ",".join(decided.shops),
            "COMANDA_CUSTOMER_ISSUER": made.customer_issuer,
            "COMANDA_CUSTOMER_JWKS_URL": f"{made.customer_issuer}/.well-known/jwks.json",
            "COMANDA_CUSTOMER_CLIENT_ID": made.customer_client_id,
            "COMANDA_STAFF_ISSUER": made.staff_issuer,
            "COMANDA_STAFF_JWKS_URL": f"{made.staff_issuer}/.well-known/jwks.json",
            "COMANDA_STAFF_CLIENT_ID": made.staff_client_id,
            "COMANDA_GUEST_ISSUER": decided.guest_issuer,
            "COMANDA_GUEST_JWKS_URL": f"{made.auth_url}/apis/auth/jwks.json",
            "COMANDA_MERCADOPAGO_URL": decided.mercadopago_url,
            **self._traces(),
        }

    def _traces(self) -> dict[str, str]:
        if not self.decisions.traces_url:
            return {}
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.decisions.traces_url,
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": self.decisions.traces_ratio,
            "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name={self.name}",
        }

    def _of(self, context: str, described: Mapping[str, Any]) -> dict[str, str]:
        prefix = f"{topology()['prefix']}-{self.name}"
        region, account = self.decisions.region, self.outputs.account
        queue = f"https://sqs.{region}.amazonaws.com/{account}/{prefix}-{context}"
        tables = {
            f"COMANDA_{table.upper()}_TABLE": f"{prefix}-{table}"
            for table in described.get("tables", {})
        }
        buckets = {
            f"COMANDA_{bucket.upper()}_BUCKET": f"{prefix}-{bucket}-{account}"
            for bucket in described.get("buckets", {})
        }
        topic = f"arn:aws:sns:{region}:{account}:{prefix}-{context}-events"
        return {
            **({"COMANDA_TOPIC_ARN": topic} if described["topic"] else {}),
            "COMANDA_QUEUE_URL": queue,
            "COMANDA_DLQ_URL": f"{queue}-dlq",
            **tables,
            **buckets,
            **(
                self._database(described["database"], user=f"{context}_app")
                if "database" in described
                else {}
            ),
        }


def decisions_of(name: str, *, folder: Path = HERE / "stages") -> Decisions:
    """Read what people decided about a stage; raise `WrongStage`."""
    if name not in STAGES:
        raise WrongStage(f"there is no stage {name!r}; there are {', '.join(STAGES)}")
    decided: Decisions = _filled(Decisions, _read(folder / f"{name}.json"))
    if bool(decided.traces_url) != ("traces" in decided.components):
        raise WrongStage("`traces_url` and the component `traces` go together: both or none")
    return decided


def read_stage(name: str, *, outputs: Path, image: str | None = None) -> Stage:
    """Read a stage's two files; `image` replaces the one among the outputs. Raise `WrongStage`."""
    decided = decisions_of(name)
    made = _read(outputs)
    if image is not None:
        made["image"] = image
    return Stage(name=name, decisions=decided, outputs=_filled(Outputs, made))


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError) as exc:
        raise WrongStage(f"{file} cannot be read: {exc}") from exc
    if not isinstance(content, dict):
        raise WrongStage(f"{file} is no JSON object")
    return content


def _filled(cls: type[Any], content: Mapping[str, Any]) -> Any:
    names = {field.name for field in fields(cls)}
    faults = [f"{name} is missing" for name in sorted(names - set(content))]
    faults += [f"{name} is not known" for name in sorted(set(content) - names)]
    if faults:
        raise WrongStage(f"{cls.__name__.lower()} of the stage: " + ", ".join(faults))
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in content.items()})
