"""What a month costs, line by line, before anything is applied.

Quantities come from `profiles.json` and `topology.json`, which Terraform reads too; unit prices,
with date and source, from `prices.json`. What an order needs is stated here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comanda.settings import topology
from terraform.tool import FOLDER

# What one order asks, as benchmarks/scale counts it from topology.json and docs/access-patterns.md;
# a test holds these to those. Every delivery is received and deleted; idle polls are counted apart.
SNS_PUBLISHES, SQS_DELIVERIES = 10, 18
TABLE_WRITES, TABLE_READS = 164, 45
# API Gateway stands before the Lambdas alone: a sign-in, and what Mercado Pago tells. All other
# calls (menu, order, looks at it) reach the pods by the load balancer.
EDGE_CALLS, POD_CALLS = 3, 8
CUSTOMERS_PER_ORDER = 0.3
# Estimates, on the high side. The archive indexes each event by a row, an index and an alias or
# two; it writes an object a second and pod at most, and seldom more than eight for one order.
_ARCHIVE_WRITES, _ARCHIVE_READS = 50, 10
_OBJECTS, _ARCHIVING_PODS = 8, 2
# A customer's sign-in runs Cognito's triggers, and mails a code.
_TRIGGER_CALLS, _LAMBDA_SECONDS, _LAMBDA_GB = 5, 0.15, 0.5
_LOG_KB, _NAT_KB, _ANSWER_KB = 20, 60, 100
_POLLERS = 2
_FIXED_LOG_GB = 20
_INTERFACE_ENDPOINTS = 8
# Storage, connections, CPU; of each API its 5xx and its slowness.
_DATABASE_ALARMS, _API_ALARMS = 3, 4
# What Auto Mode gives a node: 4 GiB to boot from and 80 for images and pods.
_NODE_DISK_GB = 84
# A capacity unit of a load balancer takes so many new connections a second.
_CONNECTIONS = 25


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
    units = max(1.0, orders * POD_CALLS / (hours * 3600) / _CONNECTIONS)
    return [
        CostLine(name="EKS control plane", dollars=p["eks_cluster_hour"] * hours, why="1 cluster"),
        CostLine(
            name="nodes",
            dollars=count * p["node_hour"] * (1 + p["auto_mode_surcharge"]) * hours,
            why=f"{count} m7g.large, Auto Mode",
        ),
        CostLine(
            name="disks of nodes",
            dollars=count * _NODE_DISK_GB * p["node_disk_gb"],
            why=f"{count} x {_NODE_DISK_GB} GB gp3",
        ),
        CostLine(
            name="NAT",
            dollars=gateways * (p["nat_hour"] + p["public_address_hour"]) * hours
            + gb * p["nat_gb"],
            why=f"{gateways} gateways with an address each, {gb:.0f} GB",
        ),
        CostLine(
            name="load balancer",
            dollars=(p["load_balancer_hour"] + units * p["load_balancer_capacity_unit_hour"])
            * hours,
            why=f"1, {units:.1f} capacity units, {POD_CALLS} calls an order",
        ),
    ]


def _stores(s: Mapping[str, Any], p: Mapping[str, Any], *, orders: int) -> list[CostLine]:
    database = s["database"]
    copies = 2 if database["multi_az"] else 1
    hourly = p["database_hour"][database["instance_class"]] * p["hours_a_month"]
    gb = database["storage_gb"] + orders * 12 * 8 / 1e6
    writes, reads = TABLE_WRITES + _ARCHIVE_WRITES, TABLE_READS + _ARCHIVE_READS
    table = writes * p["dynamodb_million_writes"] + reads * p["dynamodb_million_reads"]
    puts = min(orders * _OBJECTS, p["hours_a_month"] * 3600 * _ARCHIVING_PODS)
    return [
        CostLine(
            name="PostgreSQL",
            dollars=copies * (hourly + gb * p["database_gb"]),
            why=f"{copies} x {database['instance_class']}, {gb:.0f} GB after a year",
        ),
        CostLine(name="DynamoDB", dollars=orders / 1e6 * table, why=f"{writes} writes an order"),
        CostLine(name="S3", dollars=puts / 1e3 * p["s3_thousand_puts"], why="the archive's writes"),
    ]


def _messages(p: Mapping[str, Any], *, orders: int) -> list[CostLine]:
    queues = sum("queue" in it for it in topology()["contexts"].values())
    # A long poll of 20 s that finds nothing is a call, too.
    polls = queues * _POLLERS * p["hours_a_month"] * 3600 / 20
    sqs = (orders * SQS_DELIVERIES * 2 + polls) / 1e6 * p["sqs_million"]
    sns = orders * SNS_PUBLISHES / 1e6 * p["sns_million"]
    return [
        CostLine(name="SQS", dollars=sqs, why=f"{queues} queues, {polls / 1e6:.1f} M idle polls"),
        CostLine(name="SNS", dollars=sns, why=f"{SNS_PUBLISHES} publishes an order"),
    ]


def _edge(s: Mapping[str, Any], p: Mapping[str, Any], *, orders: int) -> list[CostLine]:
    calls = orders * EDGE_CALLS
    runs = calls + orders * CUSTOMERS_PER_ORDER * _TRIGGER_CALLS
    function = runs / 1e6 * p["lambda_million"]
    function += runs * _LAMBDA_SECONDS * _LAMBDA_GB * p["lambda_gb_second"]
    walls = 3 if s["cdn"] else 2
    walled = calls + (orders * POD_CALLS if s["cdn"] else 0)
    wall = walls * (p["web_acl"] + 3 * p["web_acl_rule"]) + walled / 1e6 * p["web_acl_million"]
    return [
        CostLine(
            name="API Gateway",
            dollars=calls / 1e6 * p["api_gateway_million"],
            why=f"{EDGE_CALLS} calls an order: the Lambdas' alone",
        ),
        CostLine(name="Lambda", dollars=function, why="512 MB, 150 ms, triggers too"),
        CostLine(name="WAF", dollars=wall, why=f"{walls} web ACLs, 3 rules each"),
        CostLine(
            name="answers to the internet",
            dollars=orders * _ANSWER_KB / 1e6 * p["cdn_gb" if s["cdn"] else "egress_gb"],
            why=f"{_ANSWER_KB} KB an order, CloudFront {'on' if s['cdn'] else 'off'}",
        ),
    ]


def _alarms(s: Mapping[str, Any]) -> int:
    """Count those of the layer `observability`."""
    contexts = topology()["contexts"].values()
    workloads = json.loads((FOLDER / "identity" / "workloads.json").read_text()).values()
    queues = sum("queue" in it for it in contexts)
    functions = sum(bool(it["runs_on"] == "function") for it in workloads)
    tables = sum(len(it.get("tables", {})) for it in contexts)
    gateways: int = s["zones"] if s["nat_mode"] == "per_zone" else 1
    return 2 * queues + 2 * functions + tables + _DATABASE_ALARMS + _API_ALARMS + gateways


def _rest(s: Mapping[str, Any], p: Mapping[str, Any], *, orders: int, shops: int) -> list[CostLine]:
    log_gb = _FIXED_LOG_GB + orders * _LOG_KB / 1e6
    alarms = _alarms(s)
    endpoints = _INTERFACE_ENDPOINTS * s["zones"] if s["interface_endpoints"] else 0
    customers = max(0.0, orders * CUSTOMERS_PER_ORDER - p["cognito_free_users"])
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
            name="SES", dollars=orders * CUSTOMERS_PER_ORDER / 1e3 * p["ses_thousand"], why="codes"
        ),
    ]
