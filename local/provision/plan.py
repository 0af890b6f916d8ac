"""Read `topology.json` as the resources to make; the names are those of every stage."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class QueuePlan:
    """A context's queue with its dead-letter queue."""

    name: str
    visibility_seconds: int
    max_receive_count: int
    retention_seconds: int
    dlq_retention_seconds: int
    receive_wait_seconds: int

    @property
    def dlq_name(self) -> str:
        """Name the queue for what could not be handled."""
        return f"{self.name}-dlq"


@dataclass(frozen=True, kw_only=True)
class SubscriptionPlan:
    """What a context's queue hears of another context's topic."""

    publisher: str
    subscriber: str
    types: tuple[str, ...]

    @property
    def filter_policy(self) -> str:
        """Give the policy on the message attribute `type`."""
        return json.dumps({"type": list(self.types)})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a stage needs of AWS, by context."""

    topics: Mapping[str, str]
    queues: Mapping[str, QueuePlan]
    subscriptions: tuple[SubscriptionPlan, ...]
    tables: tuple[tuple[str, Mapping[str, Any]], ...]
    databases: tuple[str, ...]
    buckets: tuple[tuple[str, Mapping[str, Any]], ...] = ()


class WrongTopology(Exception):
    """A context subscribes to what no context publishes."""


def plan_for(topology: Mapping[str, Any], *, stage: str) -> Plan:
    """Derive the resources of a stage; raise `WrongTopology`."""
    prefix = f"{topology['prefix']}-{stage}"
    contexts: Mapping[str, Mapping[str, Any]] = topology["contexts"]
    defaults = topology["queue_defaults"]
    return Plan(
        topics={name: f"{prefix}-{name}-events" for name, it in contexts.items() if it["topic"]},
        queues={
            name: QueuePlan(name=f"{prefix}-{name}", **{**defaults, **it["queue"]})
            for name, it in contexts.items()
            if "queue" in it
        },
        subscriptions=_subscriptions(contexts),
        tables=tuple(
            (f"{prefix}-{table}", shape)
            for it in contexts.values()
            for table, shape in it.get("tables", {}).items()
        ),
        databases=tuple(it["database"] for it in contexts.values() if "database" in it),
        buckets=tuple(
            (f"{prefix}-{bucket}", shape)
            for it in contexts.values()
            for bucket, shape in it.get("buckets", {}).items()
        ),
    )


def _subscriptions(contexts: Mapping[str, Mapping[str, Any]]) -> tuple[SubscriptionPlan, ...]:
    publishers = {kind: name for name, it in contexts.items() for kind in it.get("publishes", ())}
    wanted: dict[tuple[str, str], list[str]] = {}
    for subscriber, it in contexts.items():
        for kind in it.get("subscribes", ()):
            if kind not in publishers:
                raise WrongTopology(f"{subscriber} subscribes to {kind}, which nobody publishes")
            wanted.setdefault((publishers[kind], subscriber), []).append(kind)
    return tuple(
        SubscriptionPlan(publisher=publisher, subscriber=subscriber, types=tuple(types))
        for (publisher, subscriber), types in wanted.items()
    )
