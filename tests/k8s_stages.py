"""The manifests of a stage for tests, with outputs that Terraform might have made.

They are kept in `tests/k8s_rendered/`, so that tests need no kustomize, a reviewer sees what a
change of an overlay does, and a test holds the files to what kustomize builds wherever there is
one. `python -m tests.k8s_stages` writes them anew.
"""

from functools import cache
from pathlib import Path

from k8s.manifests import Manifest, dump, in_order, parse
from k8s.rendering import render
from k8s.stage import HERE, STAGES, Stage, read_stage

RENDERED = Path(__file__).resolve().parent / "k8s_rendered"


def sample_stage(name: str) -> Stage:
    """Give a stage with the sample outputs."""
    return read_stage(name, outputs=HERE / "samples" / "outputs.json")


@cache
def stage_manifests(name: str) -> tuple[Manifest, ...]:
    """Read the manifests of a stage as they were last built."""
    return parse((RENDERED / f"{name}.yaml").read_text())


def freshly_rendered(name: str) -> str:
    """Build the manifests of a stage; raise `CannotRender` without a kustomize."""
    return dump(in_order(render(sample_stage(name))))


if __name__ == "__main__":
    for stage in STAGES:
        (RENDERED / f"{stage}.yaml").write_text(freshly_rendered(stage))
