"""What a pod is told to call, it can reach: a service, a port, and policies at both ends."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from console.queues.processes import parse_urls
from k8s.manifests import Manifest
from k8s.rules.doors import closed_doors, doors
from k8s.stage import STAGES
from local.iam.laptop import words as policy_words
from terraform.policies import render
from tests.k8s_stages import stage_manifests

WORKERS = ("archive-worker", "catalog-worker", "orders-worker", "payments-worker")


@pytest.mark.parametrize("stage", STAGES)
def test_the_screens_reach_every_process_that_they_are_told_of(stage: str) -> None:
    manifests = stage_manifests(stage)

    callees = {(it.callee, it.port) for it in doors(manifests) if it.caller == "console-api"}

    assert callees >= {(name, 9090) for name in WORKERS}
    assert callees >= {(name.replace("worker", "api"), 8080) for name in WORKERS}
    assert list(closed_doors(manifests)) == []


@pytest.mark.parametrize("stage", STAGES)
def test_the_page_of_the_topology_is_told_of_every_process_by_its_name(stage: str) -> None:
    data = (it.body["data"] for it in stage_manifests(stage) if it.kind == "ConfigMap")
    (text,) = (it["COMANDA_PROCESS_URLS"] for it in data if "COMANDA_PROCESS_URLS" in it)

    urls = parse_urls(text)

    assert set(urls) == {*WORKERS, *(name.removesuffix("-worker") for name in WORKERS)}
    assert urls["orders-worker"] == "http://orders-worker:9090"


@pytest.mark.parametrize("stage", STAGES)
def test_the_screens_trust_as_many_proxies_as_stand_before_them(stage: str) -> None:
    manifests = stage_manifests(stage)
    data = (it.body["data"] for it in manifests if it.kind == "ConfigMap")

    (count,) = (it["COMANDA_TRUSTED_PROXIES"] for it in data if "COMANDA_TRUSTED_PROXIES" in it)

    # CloudFront and its load balancer come together: `gateway` is behind both or is not there.
    assert count == ("2" if any(it.kind == "Gateway" for it in manifests) else "0")


def test_the_screens_and_auth_have_their_common_key_from_the_same_secret() -> None:
    (external,) = (it for it in stage_manifests("production") if it.kind == "ExternalSecret")
    names = {it["secretKey"]: it["remoteRef"]["key"] for it in external.body["spec"]["data"]}
    words = {**policy_words(), "stage": "production"}

    readable = str(render("auth-api", words))

    assert names["forwarding"] == "comanda/production/console/forwarding-keys"
    assert f"secret:{names['forwarding']}-??????" in readable
    assert f"secret:{names['keys']}-??????" not in readable


def told(kind: str, name: str, change: Callable[[dict[str, Any]], object]) -> str:
    """Change one object of production and give what is then closed."""
    manifests = [Manifest(deepcopy(it.body)) for it in stage_manifests("production")]
    (chosen,) = (it for it in manifests if (it.kind, it.name) == (kind, name))
    change(chosen.body)
    return "\n".join(closed_doors(manifests))


def test_a_service_that_is_not_there_is_found() -> None:
    assert "there is no such service" in told(
        "Service", "orders-worker", lambda it: it["metadata"].update(name="other")
    )


def test_another_port_is_found() -> None:
    assert "no such port" in told(
        "Service", "orders-worker", lambda it: it["spec"]["ports"][0].update(port=9091)
    )


def test_a_policy_that_does_not_let_the_caller_out_is_found() -> None:
    found = told("NetworkPolicy", "console-api-contexts", lambda it: it["spec"]["egress"].pop())

    assert "its own policies do not let it out" in found
    assert found.count("\n") + 1 == len(WORKERS)


def test_a_policy_that_does_not_let_the_caller_in_is_found() -> None:
    found = told(
        "NetworkPolicy", "orders-worker", lambda it: it["spec"]["ingress"][0]["from"].pop()
    )

    assert found == (
        "console-api is told of orders-worker:9090, and the policies there do not let it in"
    )


def test_pods_of_other_namespaces_do_not_count_as_ours() -> None:
    near = {"podSelector": {}, "namespaceSelector": {}}

    assert "do not let it in" in told(
        "NetworkPolicy",
        "orders-worker",
        lambda it: it["spec"]["ingress"][0].update({"from": [near]}),
    )
