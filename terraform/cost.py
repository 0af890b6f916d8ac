"""What a month costs, line by line, before anything is applied.

Quantities come from `profiles.json` and `topology.json`, which Terraform reads too; unit prices,
with their date, from `prices.json`. What an order needs is stated here and is an estimate.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comanda.settings import topology
from terraform.tool import FOLDER

# An order passes: six events published, nine deliveries, each received and deleted; empty polls
# are counted apart. All of these are estimates, on the high side.
_SNS_PUBLISHES, _SQS_CALLS = 8, 36
_TABLE_WRITES, _TABLE_READS = 85, 45
# The archive writes an object a second and pod at most, and seldom more than eight for one order.
_OBJECTS, _ARCHIVING_PODS = 8, 2
# The door (menu, order, status by polling) and Mercado Pago's two or three notifications.
_GATEWAY_CALLS, _LAMBDA_SECONDS, _LAMBDA_GB = 8, 0.15, 0.5
_LOG_KB = 20
_NAT_KB = 60
_POLLERS = 2
_CUSTOMERS_PER_ORDER = 0.3
_FIXED_LOG_GB = 20
_INTERFACE_ENDPOINTS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class CostLine:
    """One line of the bill, in dollars a month."""

    name: str
    dollars: float
    why: str


def monthly_cost(profile: str, *, orders: int, shops: int = 2) -> tuple[CostLine, ...]:
    """Estimate a month of `orders` (0 or more); raise `KeyError` for an unknown profile."""
    if orders < 0:
        raise ValueError("orders are 0 or more")
    settings = json.loads((FOLDER / "profiles.json").read_text())[profile]
    prices = json.loads((FOLDER / "prices.json").read_text())
    return (
        *_compute(settings, prices, orders=orders),
        *_stores(settings, prices, orders=orders),
        *_messages(prices, orders=orders),
        *_edge(settings, prices, orders=orders),
        *_rest(settings, prices, orders=orders, shops=shops),
    )


def nodes(orders: int) -> int:
    """Give the nodes that this many orders a month need; two, so that one may go."""
    return max(2, -(-orders // 400_000) + 1)


def render(lines: tuple[CostLine, ...], *, orders: int) -> str:
    """Write the lines as a table with their sum and the share of one order."""
    total = sum(line.dollars for line in lines)
    rows = [f"{line.name:<26}{line.dollars:>10.2f}   {line.why}" for line in lines]
    each = f"{total / orders:.4f} an order" if orders else "no orders"
    return "\n".join([*rows, "-" * 36, f"{'total, USD a month':<26}{total:>10.2f}   {each}"])


def _compute(s: Mapping[str, Any], p: Mapping[str, Any], *, orders: int) -> list[CostLine]:
    hours, count = p["hours_a_month"], nodes(orders)
    gateways = s["zones"] if s["nat_mode"] == "per_zone" else 1
    gb = 20 + orders * _NAT_KB / 1e6
    return [
        CostLine(name="EKS control plane", dollars=p["eks_cluster_hour"] * hours, why="1 cluster"),
        CostLine(
            name="nodes",
            dollars=count * p["node_hour"] * (1 + p["auto_mode_surcharge"]) * hours,
            why=f"{count} m7g.large, Auto Mode",
        ),
        CostLine(
            name="NAT",
            dollars=gateways * p["nat_hour"] * hours + gb * p["nat_gb"],
            why=f"{gateways} gateways, {gb:.0f} GB",
        ),
        CostLine(
            name="load balancer",
            dollars=(p["load_balancer_hour"] + p["load_balancer_capacity_unit_hour"]) * hours,
            why="1, one capacity unit",
        ),
    ]


def _stores(s: Mapping[str, Any], p: Mapping[str, Any], *, orders: int) -> list[CostLine]:
    database = s["database"]
    copies = 2 if database["multi_az"] else 1
    hourly = p["database_hour"][database["instance_class"]] * p["hours_a_month"]
    gb = database["storage_gb"] + orders * 12 * 8 / 1e6
    table = (
        orders
        / 1e6
        * (
            _TABLE_WRITES * p["dynamodb_million_writes"]
            + _TABLE_READS * p["dynamodb_million_reads"]
        )
    )
    puts = min(orders * _OBJECTS, p["hours_a_month"] * 3600 * _ARCHIVING_PODS)
    return [
        CostLine(
            name="PostgreSQL",
            dollars=copies * (hourly + gb * p["database_gb"]),
            why=f"{copies} x {database['instance_class']}, {gb:.0f} GB after a year",
        ),
        CostLine(name="DynamoDB", dollars=table, why=f"{_TABLE_WRITES} writes an order"),
        CostLine(name="S3", dollars=puts / 1e3 * p["s3_thousand_puts"], why="the archive's writes"),
    ]


def _messages(p: Mapping[str, Any], *, orders: int) -> list[CostLine]:
    queues = sum("queue" in it for it in topology()["contexts"].values())
    # A long poll of 20 s that finds nothing is a call, too.
    polls = queues * _POLLERS * p["hours_a_month"] * 3600 / 20
    sqs = (orders * _SQS_CALLS + polls) / 1e6 * p["sqs_million"]
    sns = orders * _SNS_PUBLISHES / 1e6 * p["sns_million"]
    return [
        CostLine(name="SQS", dollars=sqs, why=f"{queues} queues, {polls / 1e6:.1f} M idle polls"),
        CostLine(name="SNS", dollars=sns, why=f"{_SNS_PUBLISHES} publishes an order"),
    ]


def _edge(s: Mapping[str, Any], p: Mapping[str, Any], *, orders: int) -> list[CostLine]:
    calls = orders * _GATEWAY_CALLS
    function = calls / 1e6 * p["lambda_million"]
    function += calls * _LAMBDA_SECONDS * _LAMBDA_GB * p["lambda_gb_second"]
    wall = 2 * (p["web_acl"] + 3 * p["web_acl_rule"])
    cdn = orders * 100 / 1e6 * p["cdn_gb"] if s["cdn"] else 0.0
    return [
        CostLine(
            name="API Gateway",
            dollars=calls / 1e6 * p["api_gateway_million"],
            why=f"{_GATEWAY_CALLS} calls an order",
        ),
        CostLine(name="Lambda", dollars=function, why="512 MB, 150 ms"),
        CostLine(name="WAF", dollars=wall, why="2 web ACLs, 3 rules each"),
        CostLine(name="CloudFront", dollars=cdn, why="100 KB an order" if s["cdn"] else "off"),
    ]


def _rest(s: Mapping[str, Any], p: Mapping[str, Any], *, orders: int, shops: int) -> list[CostLine]:
    log_gb = _FIXED_LOG_GB + orders * _LOG_KB / 1e6
    alarms = 6 + 14 + 3 + 2
    endpoints = _INTERFACE_ENDPOINTS * s["zones"] if s["interface_endpoints"] else 0
    customers = max(0.0, orders * _CUSTOMERS_PER_ORDER - p["cognito_free_users"])
    return [
        CostLine(
            name="CloudWatch",
            dollars=log_gb * p["logs_gb"] + alarms * p["alarm"],
            why=f"{log_gb:.0f} GB, {alarms} alarms",
        ),
        CostLine(
            name="keys and secrets",
            dollars=4 * p["key"] + (4 + shops) * p["secret"],
            why=f"4 keys, {4 + shops} secrets",
        ),
        CostLine(
            name="interface endpoints",
            dollars=endpoints * p["endpoint_hour"] * p["hours_a_month"],
            why=f"{endpoints}" if endpoints else "off",
        ),
        CostLine(
            name="Cognito",
            dollars=customers * p["cognito_user"],
            why=f"{customers:.0f} beyond free",
        ),
        CostLine(
            name="SES", dollars=orders * _CUSTOMERS_PER_ORDER / 1e3 * p["ses_thousand"], why="codes"
        ),
    ]
