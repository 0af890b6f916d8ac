"""Limits that the system meets: whose, how high, where that is written, and what is then done.

Values are the defaults for an account in sa-east-1. `use` gives what one order a second uses of the
limit at the busiest minute; `of_a_shop` is true where the busiest shop meets it, not all together.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.scale.model import MOST_BUSY, Measured
from benchmarks.scale.order import (
    AUTH_CALLS,
    KNOWN_CUSTOMERS,
    PROVIDER_CALLS,
    WEBHOOK_CALLS,
    commits,
    deliveries,
    mail_units,
    outbox_shard_units,
    publishes,
    shop_partition_units,
    write_units,
)

_DYNAMO = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
_PARTITION = _DYNAMO + "bp-partition-key-design.html"
# terraform/cost.py takes the same.
LAMBDA_SECONDS = 0.15
# Received and not deleted yet: a commit and a gathered delete, with room.
_IN_HAND_SECONDS = 1.0

# Each process with a store in PostgreSQL opens up to so many connections (`postgres_pool`).
POOL = 16
# For the 8 GiB of db.m7g.large.
CONNECTIONS = min(8 * 1024**3 // 9_531_392, 5_000)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """So much of something, a second or at once."""

    name: str
    value: float
    unit: str
    source: str
    use: Callable[[Measured], float]
    then: str
    of_a_shop: bool = False

    def breaks_at(self, costs: Measured) -> float:
        """Give the orders a second at which it is reached; infinite for what costs nothing."""
        used = self.use(costs)
        return self.value / used if used else float("inf")


def _processes(costs: Measured, *names: str) -> float:
    return sum(costs.cpu_ms[name] for name in names) / 1000 / MOST_BUSY


LIMITS = (
    Limit(
        name="SNS: messages published",
        value=300,
        unit="messages/s",
        source="https://docs.aws.amazon.com/general/latest/gr/sns.html"
        " (all other supported Regions; batches count by message)",
        use=lambda _: publishes(),
        then="Ask for a higher quota, weeks before: it is a soft one. Until then outboxes hold what"
        " is refused and sweep it later, webhooks answer 5xx and come again: codes are late,"
        " nothing is lost.",
    ),
    Limit(
        name="our own throttle of auth_lambda",
        value=50,
        unit="requests/s",
        source="terraform/edge/main.tf",
        use=lambda _: AUTH_CALLS,
        then="Raise it there; it protects Cognito and our bill, not the code behind it.",
    ),
    Limit(
        name="our own throttle of webhooks_lambda",
        value=200,
        unit="requests/s",
        source="terraform/edge/main.tf",
        use=lambda _: WEBHOOK_CALLS,
        then="Raise it there. What is refused comes again, and polling finds it before.",
    ),
    Limit(
        name="Cognito: sign-ins",
        value=120,
        unit="requests/s",
        source="https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html"
        " (UserAuthentication)",
        use=lambda _: KNOWN_CUSTOMERS,
        then="Ask for a higher quota (it is sold by the request); guests never touch Cognito.",
    ),
    Limit(
        name="API Gateway: requests of the account",
        value=10_000,
        unit="requests/s",
        source="https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html",
        use=lambda _: AUTH_CALLS + WEBHOOK_CALLS,
        then="Ask for a higher quota. The pods stand behind the load balancer and are not in it.",
    ),
    Limit(
        name="Lambda: executions at once",
        value=1_000,
        unit="at once",
        source="https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
        use=lambda _: (AUTH_CALLS + WEBHOOK_CALLS) * LAMBDA_SECONDS,
        then="Ask for a higher quota, and reserve a share for webhooks.",
    ),
    Limit(
        name="SQS: messages in flight, of the archive",
        value=120_000,
        unit="messages",
        source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
        "quotas-queues.html",
        use=lambda _: deliveries("archive") * _IN_HAND_SECONDS,
        then="Consumers take no more than their window (512), so more of them are needed, not a"
        " higher quota; calls of a standard queue are nearly unlimited.",
    ),
    Limit(
        name="DynamoDB: write units of the table of orders",
        value=40_000,
        unit="units/s",
        source=_DYNAMO + "ServiceQuotas.html (on demand, table and indexes)",
        use=lambda _: write_units(),
        then="Ask for a higher quota, and warm the table up; then a table for each group of shops:"
        " the shop is in every key, so no read crosses.",
    ),
    Limit(
        name="DynamoDB: a shard of the index `outbox`",
        value=1_000,
        unit="units/s",
        source=_PARTITION,
        use=lambda _: outbox_shard_units(),
        then="More shards (`OUTBOX_SHARDS`, a constant): a release that sweeps both numbers, then"
        " one that writes by the new. Its throttling holds back the table, so it comes first.",
    ),
    Limit(
        name="DynamoDB: the partition of mails",
        value=1_000,
        unit="units/s",
        source=_PARTITION,
        use=lambda _: mail_units(),
        then="Shard `MAIL` as the outbox is. Not built.",
    ),
    Limit(
        name="DynamoDB: the day of a shop",
        value=1_000,
        unit="units/s",
        source=_PARTITION,
        use=lambda _: shop_partition_units(),
        then="No counter sells so much; an event with one shop for all would need several shops.",
        of_a_shop=True,
    ),
    Limit(
        name="Mercado Pago: calls of an account",
        value=25,
        unit="calls/s",
        source="none is published; reference of a third party's observation."
        " Our own budget is 400 a process (comanda/mercadopago/client.py)",
        use=lambda _: PROVIDER_CALLS,
        then="Answers of 429 put work off, notifications are fetched before polls. An agreement"
        " with Mercado Pago, or a second account.",
        of_a_shop=True,
    ),
    Limit(
        name="PostgreSQL: cores of db.m7g.large",
        value=2,
        unit="cores",
        source="https://aws.amazon.com/rds/instance-types/",
        use=lambda costs: costs.cpu_ms["postgres"] / 1000,
        then="A larger class, to 64 cores; payments and catalog onto servers of their own; then a"
        " database for each group of shops.",
    ),
    Limit(
        name="PostgreSQL: writes of a gp3 disk below 400 GB",
        value=3_000,
        unit="IOPS",
        source="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html",
        use=lambda _: commits(),
        then="Messages of one shop share a commit, so this comes later than the count of commits"
        " says. Then 400 GB (12,000), or IOPS bought apart.",
    ),
    Limit(
        name="PostgreSQL: connections of db.m7g.large",
        value=CONNECTIONS,
        unit="connections",
        source="https://docs.aws.amazon.com/prescriptive-guidance/latest/"
        "tuning-postgresql-parameters/max-connections.html"
        " (LEAST(DBInstanceClassMemory/9531392, 5000))",
        use=lambda costs: POOL * _processes(costs, "payments-worker", "catalog-worker"),
        then="Pools of six suffice a worker (`postgres_pool` has 16); then RDS Proxy.",
    ),
    Limit(
        name="Kubernetes: ten pods of the payments worker",
        value=10,
        unit="pods",
        source="k8s/components/keda/payments.yaml",
        use=lambda costs: _processes(costs, "payments-worker"),
        then="Raise `maxReplicaCount`, and the namespace's quota with it.",
    ),
    Limit(
        name="Kubernetes: ten pods of the API of orders",
        value=10,
        unit="pods",
        source="k8s/base/api/guards.yaml",
        use=lambda costs: _processes(costs, "orders"),
        then="Raise `maxReplicas`, and the namespace's quota with it.",
    ),
)
