"""Workflows are pinned, may do little, and call what is there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text())["jobs"]
    return found


def steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(file).values() for step in job["steps"]]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda it: it.stem)
def test_every_action_is_pinned_by_commit_and_says_which_version_that_is(file: Path) -> None:
    used = re.findall(r"uses: (.+)", file.read_text())

    assert used
    assert all(re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+", it) for it in used)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda it: it.stem)
def test_a_token_may_do_nothing_but_what_its_job_names(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["permissions"] == {}
    for job in jobs(file).values():
        assert set(job["permissions"]) <= {"contents", "id-token"}
        assert job["permissions"]["contents"] == "read"
        assert job["timeout-minutes"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda it: it.stem)
def test_no_script_is_built_from_what_strangers_write(file: Path) -> None:
    assert not [step["run"] for step in steps(file) if "${{" in step.get("run", "")]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda it: it.stem)
def test_make_targets_that_are_called_exist(file: Path) -> None:
    called = {
        name for step in steps(file) for name in re.findall(r"make ([a-z-]+)", step.get("run", ""))
    }
    # The edge's target is in the Makefile as soon as its own deployment is.
    missing = {
        name
        for name in called
        if not re.search(rf"^{name}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    }

    assert missing <= {"deploy-edge"}


def test_what_changes_a_stage_waits_for_the_approval_of_its_environment() -> None:
    changing = {
        (file.stem, name)
        for file in WORKFLOWS
        for name, job in jobs(file).items()
        if re.search("ci-(apply|deploy)", yaml.safe_dump(job)) and "environment" not in job
    }

    assert changing == set()
