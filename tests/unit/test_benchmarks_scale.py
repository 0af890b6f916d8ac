"""Scale on paper: the queues obey queueing theory, more load never needs less, the page is true."""

import json
import math
import re
from dataclasses import replace
from random import Random

import pytest
import simpy
import yaml

from benchmarks.scale.__main__ import PAGE, page
from benchmarks.scale.limits import CONNECTIONS, LIMITS, POOL
from benchmarks.scale.model import VISITS, WORKERS, measured, peak_rate, simulated, sized
from benchmarks.scale.needs import breaks, met, needs_of
from benchmarks.scale.order import EVENTS, Write, deliveries, publishes, write_units
from benchmarks.scale.queueing import Station, Steps, erlang_wait
from benchmarks.workers.processes import ROOT
from comanda.settings import topology
from terraform.cost import monthly_cost

COSTS = measured()
SEED = 7


def mean_wait(*, rate: float, mean: float, servers: int, customers: int = 40_000) -> float:
    world, chance = simpy.Environment(), Random(SEED)
    station = Station(world, servers=servers, mean=mean, chance=chance)

    def arrivals() -> Steps:
        for _ in range(customers):
            yield world.timeout(chance.expovariate(rate))
            world.process(station.visit())

    world.process(arrivals())
    world.run()
    return sum(station.waits) / len(station.waits)


@pytest.mark.parametrize(("servers", "rate"), [(1, 0.6), (3, 2.1), (8, 5.6)])
def test_a_simulated_station_waits_as_erlang_says(servers: int, rate: float) -> None:
    simulated = mean_wait(rate=rate, mean=1.0, servers=servers)

    assert simulated == pytest.approx(erlang_wait(rate=rate, mean=1.0, servers=servers), rel=0.12)


def test_erlangs_formula_gives_the_textbooks_numbers() -> None:
    # M/M/1 at a load of a half waits as long as it serves; two servers at 3/4 each wait 9/7.
    assert erlang_wait(rate=0.5, mean=1.0, servers=1) == pytest.approx(1.0)
    assert erlang_wait(rate=1.5, mean=1.0, servers=2) == pytest.approx(9 / 7)
    assert erlang_wait(rate=2.0, mean=1.0, servers=2) == math.inf


@pytest.mark.parametrize("orders", [10_000, 1_000_000, 100_000_000])
def test_the_processes_that_are_counted_keep_the_wait_for_a_code_short(orders: int) -> None:
    found = simulated(sized(orders, costs=COSTS), costs=COSTS, seed=SEED)

    # Three hops and one call of the provider are 0.42 s; the rest is waiting and work.
    assert 0.42 < found.p50 <= found.p99 < 0.6


def test_too_few_processes_make_customers_wait_so_the_simulation_can_say_no() -> None:
    slow = replace(COSTS, cpu_ms={**COSTS.cpu_ms, "payments-worker": 30.0})
    enough, starved = sized(1_000_000, costs=slow), sized(1_000_000, costs=COSTS)

    assert enough.processes["payments-worker"] > starved.processes["payments-worker"]
    assert simulated(enough, costs=slow, seed=SEED).p99 < 0.6
    assert simulated(starved, costs=slow, seed=SEED).p99 > 5


def test_the_same_seed_gives_the_same_waits_and_another_seed_others() -> None:
    size = sized(100_000, costs=COSTS)

    first, again, other = (simulated(size, costs=COSTS, seed=seed) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_the_page_is_what_the_command_writes_now() -> None:
    assert PAGE.read_text() == page(COSTS), "make scale"


def test_every_event_of_the_road_is_published_and_heard() -> None:
    contexts = topology()["contexts"]
    published = {kind for context in contexts.values() for kind in context.get("publishes", ())}

    assert set(EVENTS) <= published
    assert publishes() == deliveries("archive")
    assert deliveries() == sum(deliveries(name) for name in contexts)


def test_a_transaction_counts_twice_and_a_moved_key_is_two_writes() -> None:
    once = Write(what="x", times=1, size=1_500)

    assert once.units == 2
    assert replace(once, is_transacted=True).units == 4
    assert replace(once, is_transacted=True, kept=3, moved=1).units == 4 + 2 * 3 + 2 * 2
    assert write_units() > 100


def test_the_limits_that_are_ours_are_those_in_the_files() -> None:
    values = {limit.name: limit.value for limit in LIMITS}
    throttle = re.search(
        r'throttling_rate_limit\s+= each\.key == "auth_lambda" \? (\d+) : (\d+)',
        (ROOT / "terraform/edge/main.tf").read_text(),
    )
    scaled = yaml.safe_load((ROOT / "k8s/components/keda/payments.yaml").read_text())
    api = list(yaml.safe_load_all((ROOT / "k8s/base/api/guards.yaml").read_text()))
    production = json.loads((ROOT / "terraform/profiles.json").read_text())["production"]
    (scaler,) = [it for it in api if it["kind"] == "HorizontalPodAutoscaler"]

    assert throttle is not None
    assert values["our own throttle of auth_lambda"] == int(throttle[1])
    assert values["our own throttle of webhooks_lambda"] == int(throttle[2])
    most = scaled["spec"]["maxReplicaCount"]
    assert values["Kubernetes: ten pods of the payments worker"] == most == 10
    assert values["Kubernetes: ten pods of the API of orders"] == scaler["spec"]["maxReplicas"]
    assert production["database"]["instance_class"] == "db.m7g.large"
    assert production["database"]["storage_gb"] < 400
    pool = (ROOT / "workers/runtime/postgres_pool.py").read_text()
    assert f"size: int = {POOL}," in pool
    assert CONNECTIONS == 901


def test_every_limit_has_a_source_and_is_met_somewhere() -> None:
    found = breaks(COSTS)

    assert [day for day, _ in found] == sorted(day for day, _ in found)
    assert all(0 < day < math.inf for day, _ in found)
    assert all(limit.source and limit.then for limit in LIMITS)
    assert len({limit.name for limit in LIMITS}) == len(LIMITS)


def test_the_first_limit_of_all_shops_is_what_sns_lets_publish() -> None:
    day, limit = next(it for it in breaks(COSTS) if not it[1].of_a_shop)

    assert limit.name == "SNS: messages published"
    assert peak_rate(int(day)) * publishes() == pytest.approx(limit.value, rel=1e-3)
    assert met(int(day) - 1_000, costs=COSTS) == []


def test_the_bill_has_every_line_of_make_cost() -> None:
    found = needs_of(1_000_000, costs=COSTS)

    lines = {it.name for it in monthly_cost("production", orders=30_000_000, shops=found.shops)}
    assert set(found.bill) == lines
    assert found.dollars == pytest.approx(sum(found.bill.values()))


def test_all_that_is_measured_by_order_is_simulated_by_visit() -> None:
    assert set(VISITS) | set(WORKERS) <= set(COSTS.cpu_ms)
    assert all(COSTS.cpu_ms[name] > 0 for name in (*VISITS, *WORKERS))
