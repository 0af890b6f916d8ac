"""Alerts on symptoms: each says what is wrong for whom, and where its runbook is."""

from dataclasses import dataclass
from typing import Any

from comanda.settings import topology
from k8s.observing.promises import PROMISES, RUNBOOK, burning, recorded


@dataclass(frozen=True, kw_only=True, slots=True)
class Symptom:
    """Something that is wrong while `expr` holds for `lasts`."""

    name: str
    expr: str
    lasts: str
    severity: str
    summary: str


_OURS = 'namespace=~"comanda-.+"'


def _happened(outcome: str, *, within: str) -> str:
    """Tell that messages had this outcome; a series born with its first one has no increase."""
    series = f'comanda_messages_handled_total{{outcome="{outcome}"}}'
    by = "sum by (namespace, context)"
    return (
        f"{by} (increase({series}[{within}])) > 0"
        f" or {by} ({series} unless {series} offset {within}) > 0"
    )


SYMPTOMS = (
    Symptom(
        name="MoneyUnaccounted",
        expr="max by (namespace, shop) (comanda_payments_unaccounted_charges) > 0",
        lasts="5m",
        severity="page",
        summary="{{ $labels.shop }}: money that is no order's, no refund and no case",
    ),
    Symptom(
        name="RefundStuck",
        expr="max by (namespace, shop) (comanda_payments_oldest_attempt_seconds) > 3600",
        lasts="10m",
        severity="ticket",
        summary="{{ $labels.shop }}: a refund or a cancellation is under way for over an hour",
    ),
    Symptom(
        name="ChargeUnsettled",
        expr="max by (namespace, shop) (comanda_payments_oldest_unsettled_charge_seconds) > 900",
        lasts="5m",
        severity="page",
        summary="{{ $labels.shop }}: for 15 minutes nobody knows whether a charge was made",
    ),
    Symptom(
        name="WebhooksMissing",
        expr=(
            "sum by (namespace) (increase(comanda_messages_handled_total"
            '{type="catalog.stock.reserved.v1",context="payments"}[30m])) > 10'
            " unless sum by (namespace) (increase(comanda_messages_handled_total"
            '{type="webhooks.notification.received.v1"}[30m])) > 0'
        ),
        lasts="10m",
        severity="page",
        summary="charges are made and Mercado Pago tells us nothing about any of them",
    ),
    Symptom(
        name="MessagesInvalid",
        expr=_happened("invalid", within="15m"),
        lasts="0m",
        severity="ticket",
        summary="{{ $labels.context }}: messages went to the dead-letter queue",
    ),
    Symptom(
        name="WorkerRefusesItsQueue",
        expr=_happened("kept", within="5m"),
        lasts="0m",
        severity="page",
        summary="{{ $labels.context }}: too many invalid messages; the worker stopped to save them",
    ),
    Symptom(
        name="RelayForgets",
        expr="sum by (namespace) (increase(comanda_outbox_swept_total[30m])) > 100",
        lasts="30m",
        severity="ticket",
        summary="the sweep publishes what the relay should have: events leave late",
    ),
    Symptom(
        name="EventsLate",
        expr=f"max by (namespace, pod) (comanda_outbox_oldest_seconds{{{_OURS}}}) > 60",
        lasts="2m",
        severity="page",
        summary="{{ $labels.pod }}: events have been saved for over a minute and nobody hears them",
    ),
    Symptom(
        name="PodsRestart",
        expr=f"increase(kube_pod_container_status_restarts_total{{{_OURS}}}[15m]) > 3",
        lasts="5m",
        severity="page",
        summary="{{ $labels.pod }} restarts again and again",
    ),
    Symptom(
        name="RolloutStuck",
        expr=(
            "kube_deployment_status_condition"
            f'{{condition="Progressing",status="false",{_OURS}}} == 1'
        ),
        lasts="5m",
        severity="ticket",
        summary="{{ $labels.deployment }}: a rollout does not get on",
    ),
    Symptom(
        name="ScalerAtItsLimit",
        expr=(
            f"kube_horizontalpodautoscaler_status_desired_replicas{{{_OURS}}}"
            f" >= kube_horizontalpodautoscaler_spec_max_replicas{{{_OURS}}}"
        ),
        lasts="15m",
        severity="ticket",
        summary="{{ $labels.horizontalpodautoscaler }} would scale further and may not",
    ),
    Symptom(
        name="ScalerBlind",
        expr=f"sum by (namespace, scaledObject) (increase(keda_scaler_detail_errors_total{{{_OURS}}}[10m])) > 5",  # noqa: E501  # One expression.
        lasts="5m",
        severity="ticket",
        summary="{{ $labels.scaledObject }}: KEDA cannot read the queue",
    ),
)


def groups() -> list[dict[str, Any]]:
    """Give all rules as groups of Prometheus."""
    found: list[dict[str, Any]] = [
        {"name": f"comanda-{it.name}", "rules": [*recorded(it), *burning(it)]} for it in PROMISES
    ]
    symptoms = [_alert(it) for it in (*SYMPTOMS, *_absences())]
    return [*found, {"name": "comanda-symptoms", "rules": symptoms}]


def _absences() -> list[Symptom]:
    """A worker that is gone sends no bad news; only its silence tells."""
    contexts = [name for name, it in topology()["contexts"].items() if "queue" in it]
    return [
        Symptom(
            name=f"{context.capitalize()}WorkerAbsent",
            expr=f'absent_over_time(comanda_messages_in_flight{{context="{context}"}}[10m])',
            lasts="0m",
            severity="page",
            summary=f"no worker of {context} has been seen for ten minutes",
        )
        for context in contexts
    ]


def _alert(symptom: Symptom) -> dict[str, Any]:
    anchor = "workerabsent" if symptom.name.endswith("WorkerAbsent") else symptom.name.lower()
    return {
        "alert": symptom.name,
        "expr": symptom.expr,
        "for": symptom.lasts,
        "labels": {"severity": symptom.severity},
        "annotations": {"summary": symptom.summary, "runbook": f"{RUNBOOK}#{anchor}"},
    }
