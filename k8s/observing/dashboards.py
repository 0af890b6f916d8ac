"""The four dashboards: the road, the money, the workers, the edge.

Nodes are the community's business: dashboard 1860 of grafana.com (Node Exporter Full).
"""

from k8s.observing.grafana import Dashboard, Line, Metric, Panel

_IN = '{namespace="$namespace"}'


def _per_second(kind: str) -> str:
    return (
        "sum by (outcome) (rate(comanda_messages_handled_total"
        f'{{namespace="$namespace",type="{kind}"}}[5m]))'
    )


def _quantile(share: float, metric: str, by: str) -> str:
    inside = f"sum by (le, {by}) (rate({metric}_bucket{_IN}[5m]))"
    return f"histogram_quantile({share}, {inside})"


ROAD = Dashboard(
    uid="comanda-road",
    title="Comanda: the road",
    panels=(
        Panel(
            title="Orders placed, as the catalog hears them",
            lines=(Line(expr=_per_second("orders.order.placed.v1"), legend="{{outcome}}"),),
            unit="reqps",
        ),
        Panel(
            title="Stock reserved: charges to make",
            lines=(Line(expr=_per_second("catalog.stock.reserved.v1"), legend="{{outcome}}"),),
            unit="reqps",
        ),
        Panel(
            title="Notifications of Mercado Pago",
            lines=(
                Line(expr=_per_second("webhooks.notification.received.v1"), legend="{{outcome}}"),
            ),
            unit="reqps",
        ),
        Panel(
            title="Payments approved: orders for the kitchen",
            lines=(Line(expr=_per_second("payments.payment.approved.v1"), legend="{{outcome}}"),),
            unit="reqps",
        ),
        Panel(
            title="Do the APIs keep their promise? (share of 5xx)",
            lines=(Line(expr=f"comanda:api_availability:bad_ratio_1h{_IN}", legend="{{context}}"),),
            unit="percentunit",
        ),
        Panel(
            title="How long do requests take? (p99)",
            lines=(
                Line(
                    expr=_quantile(0.99, "comanda_http_request_seconds", "context"),
                    legend="{{context}}",
                ),
            ),
            unit="s",
        ),
    ),
)


def _of_shops(title: str, metric: str, *, unit: str = "short") -> Panel:
    line = Line(expr=f"max by (shop) ({metric}{_IN})", legend="{{shop}}")
    return Panel(title=title, lines=(line,), unit=unit)


MONEY = Dashboard(
    uid="comanda-money",
    title="Comanda: the money",
    panels=(
        _of_shops(
            "Charges with money that has no place (must be 0)",
            "comanda_payments_unaccounted_charges",
        ),
        Panel(
            title="Open cases",
            lines=(
                Line(
                    expr=f"max by (shop, kind) (comanda_payments_open_cases{_IN}) > 0",
                    legend="{{shop}} {{kind}}",
                ),
            ),
        ),
        _of_shops("Refunds and cancellations under way", "comanda_payments_open_attempts"),
        _of_shops("Age of the oldest of them", "comanda_payments_oldest_attempt_seconds", unit="s"),
        _of_shops(
            "Age of the oldest charge of which nobody knows whether it was made",
            "comanda_payments_oldest_unsettled_charge_seconds",
            unit="s",
        ),
        _of_shops("Since the last sweep", "comanda_payments_sweep_age_seconds", unit="s"),
        _of_shops("Checks that are overdue", "comanda_payments_overdue_checks"),
    ),
)

WORKERS = Dashboard(
    uid="comanda-workers",
    title="Comanda: the workers",
    panels=(
        Panel(
            title="What becomes of messages",
            lines=(
                Line(
                    expr=(
                        f"sum by (context, outcome) (rate(comanda_messages_handled_total{_IN}[5m]))"
                    ),
                    legend="{{context}} {{outcome}}",
                ),
            ),
            unit="reqps",
        ),
        Panel(
            title="How long does a message take? (p99)",
            lines=(
                Line(
                    expr=_quantile(0.99, "comanda_message_handling_seconds", "context"),
                    legend="{{context}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            title="Messages in hand",
            lines=(
                Line(
                    expr=f"sum by (context) (comanda_messages_in_flight{_IN})",
                    legend="{{context}}",
                ),
            ),
        ),
        Panel(
            title="Events that the sweep had to publish",
            lines=(Line(expr=f"sum(rate(comanda_outbox_swept_total{_IN}[5m]))", legend="events"),),
            unit="reqps",
        ),
        Panel(
            title="Pods: wanted by the scaler",
            lines=(
                Line(
                    expr=f"kube_horizontalpodautoscaler_status_desired_replicas{_IN}",
                    legend="{{horizontalpodautoscaler}}",
                ),
            ),
        ),
        Panel(
            title="Memory of the pods",
            lines=(Line(expr=f"process_resident_memory_bytes{_IN}", legend="{{pod}} {{process}}"),),
            unit="bytes",
        ),
    ),
)

EDGE = Dashboard(
    uid="comanda-edge",
    title="Comanda: the edge",
    panels=(
        Panel(
            title="Notifications by what became of them",
            lines=(
                Metric(
                    namespace="Comanda", name="comanda_notifications_total", dimension="outcome"
                ),
            ),
        ),
        Panel(
            title="Does the public API answer? (5xx)",
            lines=(Metric(namespace="AWS/ApiGateway", name="5XXError", dimension="ApiName"),),
        ),
        Panel(
            title="How long do Lambdas take? (p99)",
            lines=(
                Metric(
                    namespace="AWS/Lambda",
                    name="Duration",
                    dimension="FunctionName",
                    statistic="p99",
                ),
            ),
            unit="ms",
        ),
        Panel(
            title="Lambdas throttled",
            lines=(Metric(namespace="AWS/Lambda", name="Throttles", dimension="FunctionName"),),
        ),
        Panel(
            title="Age of the oldest message of each queue",
            lines=(
                Metric(
                    namespace="AWS/SQS",
                    name="ApproximateAgeOfOldestMessage",
                    dimension="QueueName",
                    statistic="Maximum",
                ),
            ),
            unit="s",
        ),
        Panel(
            title="Messages visible, dead letters too",
            lines=(
                Metric(
                    namespace="AWS/SQS",
                    name="ApproximateNumberOfMessagesVisible",
                    dimension="QueueName",
                    statistic="Maximum",
                ),
            ),
        ),
    ),
)

DASHBOARDS = (ROAD, MONEY, WORKERS, EDGE)
