"""What the deployer stands on: answers of an API server, as they were measured on 1.36.2.

The stand-in passes here on every run; `make test-cluster` holds a real cluster to the same.
"""

import json
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

from k8s.cluster import FieldConflict, KindUnknown, NotFound, Refused
from k8s.manifests import Manifest, dump
from k8s.rollout import Phase, progress_of
from tests.k8s_bed import Bed, bed


@pytest.fixture
def cluster_bed(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path) as opened:
        opened.cluster.apply(opened.namespace_object())
        yield opened


def dynamic(opened: Bed, tmp_path: Path) -> DynamicClient:
    api = config.new_client_from_config(config_file=str(opened.kubeconfig))
    return DynamicClient(api, cache_file=str(tmp_path / "discovery"))


def settings(opened: Bed, **data: str) -> Manifest:
    return opened.object("v1", "ConfigMap", "settings", data=data)


def test_what_is_applied_is_owned_by_our_field_manager(cluster_bed: Bed) -> None:
    applied = cluster_bed.cluster.apply(settings(cluster_bed, a="1"))

    owners = applied.metadata["managedFields"]
    assert [(it["manager"], it["operation"]) for it in owners] == [("comanda", "Apply")]
    assert owners[0]["fieldsV1"] == {"f:data": {"f:a": {}}}


def test_applying_the_same_twice_changes_nothing(cluster_bed: Bed) -> None:
    first = cluster_bed.cluster.apply(cluster_bed.deployment())

    second = cluster_bed.cluster.apply(cluster_bed.deployment())

    assert second.metadata["generation"] == first.metadata["generation"]


def test_a_changed_spec_is_a_new_generation(cluster_bed: Bed) -> None:
    first = cluster_bed.cluster.apply(cluster_bed.deployment())

    second = cluster_bed.cluster.apply(cluster_bed.deployment(minReadySeconds=3))

    assert second.metadata["generation"] == first.metadata["generation"] + 1


def test_a_field_that_is_not_sent_any_more_goes(cluster_bed: Bed) -> None:
    cluster_bed.cluster.apply(settings(cluster_bed, a="1", b="2"))

    applied = cluster_bed.cluster.apply(settings(cluster_bed, a="1"))

    assert applied.body["data"] == {"a": "1"}


def test_a_dry_run_answers_and_changes_nothing(cluster_bed: Bed) -> None:
    cluster_bed.cluster.apply(settings(cluster_bed, a="1"))

    answered = cluster_bed.cluster.apply(settings(cluster_bed, a="2"), is_dry_run=True)

    live = cluster_bed.cluster.get(settings(cluster_bed))
    assert answered.body["data"] == {"a": "2"}
    assert live is not None
    assert live.body["data"] == {"a": "1"}


def test_a_field_of_another_manager_is_a_conflict_that_names_it(
    cluster_bed: Bed, tmp_path: Path
) -> None:
    cluster_bed.cluster.apply(cluster_bed.deployment(replicas=2))
    scale(cluster_bed, tmp_path, 5)

    with pytest.raises(FieldConflict, match=r"\.spec\.replicas"):
        cluster_bed.cluster.apply(cluster_bed.deployment(replicas=2))


def test_force_takes_a_field_over(cluster_bed: Bed, tmp_path: Path) -> None:
    cluster_bed.cluster.apply(cluster_bed.deployment(replicas=2))
    scale(cluster_bed, tmp_path, 5)

    applied = cluster_bed.cluster.apply(cluster_bed.deployment(replicas=2), is_forced=True)

    assert applied.spec["replicas"] == 2


def test_whoever_owned_the_replicas_and_drops_them_resets_them_to_one(cluster_bed: Bed) -> None:
    cluster_bed.cluster.apply(cluster_bed.deployment(replicas=4))

    applied = cluster_bed.cluster.apply(cluster_bed.deployment())

    assert applied.spec["replicas"] == 1


def test_whoever_never_said_the_replicas_leaves_a_scalers_number_alone(
    cluster_bed: Bed, tmp_path: Path
) -> None:
    cluster_bed.cluster.apply(cluster_bed.deployment())
    scale(cluster_bed, tmp_path, 7)

    applied = cluster_bed.cluster.apply(cluster_bed.deployment(minReadySeconds=3))

    assert applied.spec["replicas"] == 7


def scale(opened: Bed, tmp_path: Path, count: int) -> None:
    deployments = dynamic(opened, tmp_path).resources.get(api_version="apps/v1", kind="Deployment")
    deployments.patch(
        body={"spec": {"replicas": count}},
        name="web",
        namespace=opened.namespace,
        content_type="application/merge-patch+json",
        field_manager="autoscaler",
    )


def test_an_unknown_field_is_refused(cluster_bed: Bed) -> None:
    with pytest.raises(Refused, match="failed to create typed patch object"):
        cluster_bed.cluster.apply(cluster_bed.deployment(replicaz=2))


def test_a_wrong_type_is_refused(cluster_bed: Bed) -> None:
    with pytest.raises(Refused):
        cluster_bed.cluster.apply(cluster_bed.deployment(minReadySeconds="soon"))


def test_a_selector_cannot_be_changed(cluster_bed: Bed) -> None:
    cluster_bed.cluster.apply(cluster_bed.deployment())
    other = cluster_bed.deployment(selector={"matchLabels": {"app": "web", "more": "x"}})
    other.spec["template"]["metadata"]["labels"]["more"] = "x"

    with pytest.raises(Refused, match="field is immutable"):
        cluster_bed.cluster.apply(other)


def test_without_its_namespace_nothing_can_be_applied_not_even_in_a_dry_run(
    cluster_bed: Bed,
) -> None:
    lost = settings(cluster_bed, a="1")
    lost.metadata["namespace"] = "comanda-nowhere"

    with pytest.raises(NotFound, match=r'namespaces "comanda-nowhere" not found'):
        cluster_bed.cluster.apply(lost, is_dry_run=True)


def test_managed_fields_cannot_be_sent(cluster_bed: Bed) -> None:
    manifest = settings(cluster_bed, a="1")
    manifest.metadata["managedFields"] = [{"manager": "me", "operation": "Apply"}]

    with pytest.raises(Refused):
        cluster_bed.cluster.apply(manifest)


def test_a_stale_version_is_refused_without_causes(cluster_bed: Bed) -> None:
    applied = cluster_bed.cluster.apply(settings(cluster_bed, a="1"))
    cluster_bed.cluster.apply(settings(cluster_bed, a="2"))
    stale = settings(cluster_bed, a="3")
    stale.metadata["resourceVersion"] = applied.metadata["resourceVersion"]

    with pytest.raises(Refused, match="modified"):
        cluster_bed.cluster.apply(stale)


def test_an_unknown_kind_is_named(cluster_bed: Bed) -> None:
    alien = cluster_bed.object("example.com/v1", "Alien", "et")

    assert not cluster_bed.cluster.knows(alien)
    with pytest.raises(KindUnknown, match="Alien"):
        cluster_bed.cluster.apply(alien)


def test_what_is_not_there_is_nothing_and_deleting_it_is_no_error(cluster_bed: Bed) -> None:
    cluster_bed.cluster.delete(settings(cluster_bed).key, api_version="v1")

    assert cluster_bed.cluster.get(settings(cluster_bed)) is None


def test_without_a_field_manager_an_apply_is_invalid(cluster_bed: Bed, tmp_path: Path) -> None:
    status = refused_with(cluster_bed, tmp_path, settings(cluster_bed, a="1"))

    assert status["code"] == 422
    assert "PatchOptions" in status["message"]


def refused_with(opened: Bed, tmp_path: Path, manifest: Manifest) -> dict[str, Any]:
    resource = dynamic(opened, tmp_path).resources.get(
        api_version=manifest.api_version, kind=manifest.kind
    )
    with pytest.raises(ApiException) as caught:
        resource.server_side_apply(
            body=manifest.body, name=manifest.name, namespace=opened.namespace
        )
    status: dict[str, Any] = json.loads(caught.value.body)
    return status


def test_creating_twice_says_that_it_exists(cluster_bed: Bed, tmp_path: Path) -> None:
    resource = dynamic(cluster_bed, tmp_path).resources.get(api_version="v1", kind="ConfigMap")
    body = settings(cluster_bed, a="1").body
    resource.create(body=body, namespace=cluster_bed.namespace)

    with pytest.raises(ApiException) as caught:
        resource.create(body=body, namespace=cluster_bed.namespace)

    assert json.loads(caught.value.body)["reason"] == "AlreadyExists"


def test_a_watch_replays_what_happened_since_a_version(cluster_bed: Bed, tmp_path: Path) -> None:
    first = cluster_bed.cluster.apply(settings(cluster_bed, a="1"))
    cluster_bed.cluster.apply(settings(cluster_bed, a="2"))
    resource = dynamic(cluster_bed, tmp_path).resources.get(api_version="v1", kind="ConfigMap")

    events = resource.watch(
        namespace=cluster_bed.namespace,
        name="settings",
        resource_version=first.metadata["resourceVersion"],
        timeout=1,
    )

    assert next(iter(events))["raw_object"]["data"] == {"a": "2"}


def test_pods_that_a_restricted_namespace_forbids_fail_the_rollout_by_name(
    cluster_bed: Bed,
) -> None:
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster_bed.cluster.apply(cluster_bed.namespace_object(**restricted))
    cluster_bed.cluster.apply(cluster_bed.deployment())

    live = cluster_bed.settled(cluster_bed.deployment(), condition="ReplicaFailure")

    assert progress_of(live).phase is Phase.FAILED
    assert "FailedCreate" in progress_of(live).detail


def test_right_after_an_apply_the_controllers_word_is_about_the_generation_before(
    cluster_bed: Bed,
) -> None:
    broken = cluster_bed.deployment(image="broken.invalid/x:1", progressDeadlineSeconds=2)
    cluster_bed.cluster.apply(broken)
    while progress_of(found(cluster_bed, broken)).phase is not Phase.FAILED:
        cluster_bed.pause(0.5)

    applied = cluster_bed.cluster.apply(cluster_bed.deployment(progressDeadlineSeconds=30))

    assert applied.body["status"]["observedGeneration"] < applied.metadata["generation"]
    assert progress_of(applied).phase is Phase.MOVING


def found(opened: Bed, manifest: Manifest) -> Manifest:
    live = opened.cluster.get(manifest)
    assert live is not None
    return live


def test_kubectl_itself_works_against_this_server(cluster_bed: Bed, tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        # Nothing here needs kubectl but this claim, and a claim that was not tried is said so.
        warnings.warn("kubectl is not here: the stand-in was not tried with it", stacklevel=1)
        return
    file = tmp_path / "web.yaml"
    file.write_text(dump([cluster_bed.deployment()]))
    flags = ["--kubeconfig", str(cluster_bed.kubeconfig), "-n", cluster_bed.namespace]

    for words in (["apply", "--server-side", "-f"], ["diff", "--server-side", "-f"]):
        done = subprocess.run(
            [kubectl, *flags, *words, str(file)], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
    read = subprocess.run(
        [kubectl, *flags, "get", "deployment", "web", "-o", "yaml"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert yaml.safe_load(read.stdout)["spec"]["selector"] == {"matchLabels": {"app": "web"}}
