"""What a day of so many orders needs: rates, units, connections, and dollars."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.scale.limits import LAMBDA_SECONDS, LIMITS, POOL, Limit
from benchmarks.scale.model import BUSIEST_HOUR, BUSIEST_MINUTE, Measured, Sized, peak_rate, sized
from benchmarks.scale.order import (
    AUTH_CALLS,
    PROVIDER_CALLS,
    READ_UNITS,
    WEBHOOK_CALLS,
    commits,
    deliveries,
    publishes,
    shop_partition_units,
    write_units,
)
from terraform.cost import monthly_cost
from terraform.tool import FOLDER

# A shop of average size; the busiest is ten times that.
ORDERS_OF_A_SHOP, BUSIEST_SHOP = 300, 3_000
WITH_DATABASE = ("payments-worker", "catalog-worker", "payments", "catalog")
_NODE_CORES, _NODE_BUSY, _DAYS = 2, 0.8, 30
_DATABASE_CORES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What the busiest minute needs, in a second where nothing else is said."""

    orders: int
    shops: int
    sized: Sized
    nodes: int
    published: float
    delivered: float
    write_units: float
    commits: float
    database_cores: float
    connections: int
    provider_calls: float
    lambdas: float
    bill: Mapping[str, float]

    @property
    def queue_calls(self) -> float:
        """Count receives and deletes, each of ten messages, as a busy worker makes them."""
        return self.delivered * 2 / 10

    @property
    def partitions(self) -> int:
        """Count the partitions of a thousand write units each, if all were loaded alike."""
        return max(1, math.ceil(self.write_units / 1000))

    @property
    def busiest_partition(self) -> float:
        """Give the write units a second of the busiest shop's day."""
        return peak_rate(min(self.orders, BUSIEST_SHOP)) * shop_partition_units()

    @property
    def dollars(self) -> float:
        """Add up a month's bill."""
        return sum(self.bill.values())

    @property
    def dearest(self) -> str:
        """Name the dearest line of the bill, and its share."""
        name = max(self.bill, key=lambda it: self.bill[it])
        return f"{name}, {self.bill[name] / self.dollars:.0%}"

    @property
    def dollars_without_users(self) -> float:
        """Divide the bill without Cognito, whose line depends on who comes again."""
        return (self.dollars - self.bill["Cognito"]) / (self.orders * _DAYS)

    @property
    def dollars_an_order(self) -> float:
        """Divide the month's bill by the month's orders."""
        return self.dollars / (self.orders * _DAYS)


def needs_of(orders_a_day: int, *, costs: Measured) -> Needs:
    """Give what a day of so many orders needs."""
    size = sized(orders_a_day, costs=costs)
    shops = max(1, math.ceil(orders_a_day / ORDERS_OF_A_SHOP))
    busy = size.rate * sum(costs.cpu_ms[name] for name in size.processes) / 1000
    cores = max(busy / _NODE_BUSY, size.pods * 0.1)
    nodes = max(2, math.ceil(cores / _NODE_CORES) + 1)
    database = size.rate * costs.cpu_ms["postgres"] / 1000
    return Needs(
        orders=orders_a_day,
        shops=shops,
        sized=size,
        nodes=nodes,
        published=size.rate * publishes(),
        delivered=size.rate * deliveries(),
        write_units=size.rate * write_units(),
        commits=size.rate * commits(),
        database_cores=database,
        connections=POOL * sum(size.processes[name] for name in WITH_DATABASE),
        provider_calls=size.rate * PROVIDER_CALLS,
        lambdas=size.rate * (AUTH_CALLS + WEBHOOK_CALLS) * LAMBDA_SECONDS,
        bill=_bill(orders_a_day, shops=shops, nodes=nodes, database_cores=database),
    )


def breaks(costs: Measured) -> list[tuple[float, Limit]]:
    """Give every limit with the orders a day at which it is met, the first first."""
    found = []
    for limit in LIMITS:
        day = limit.breaks_at(costs) * 3600 / BUSIEST_HOUR / BUSIEST_MINUTE
        found.append((day, limit))
    return sorted(found, key=lambda it: it[0])


def met(orders_a_day: int, *, costs: Measured) -> list[Limit]:
    """Give the limits that a day of so many orders meets, the first first."""
    shop = min(orders_a_day, BUSIEST_SHOP)
    return [
        limit for day, limit in breaks(costs) if day <= (shop if limit.of_a_shop else orders_a_day)
    ]


def _bill(orders_a_day: int, *, shops: int, nodes: int, database_cores: float) -> dict[str, float]:
    """Price a month: terraform's own lines, but the three that do not grow there as they must."""
    prices: Mapping[str, Any] = json.loads((FOLDER / "prices.json").read_text())
    orders = orders_a_day * _DAYS
    lines = monthly_cost("production", orders=orders, shops=shops)
    bill = {it.name: it.dollars for it in lines}
    hours = prices["hours_a_month"]
    machines = nodes * prices["node_hour"] * (1 + prices["auto_mode_surcharge"]) * hours
    writes = write_units() * prices["dynamodb_million_writes"]
    reads = READ_UNITS * prices["dynamodb_million_reads"]
    # Half busy at the busiest minute, and two for two zones; the first pair is in the profile.
    servers = max(0, math.ceil(database_cores / 0.5 / _DATABASE_CORES) - 1)
    databases = 2 * servers * prices["database_hour"]["db.r7g.xlarge"] * hours
    bill |= {"nodes": machines, "DynamoDB": orders / 1e6 * (writes + reads)}
    bill["PostgreSQL"] += databases
    return bill
