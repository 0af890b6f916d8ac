"""What others wrote and we run: pinned, hashed, not built here, known; and no secret is kept."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from local.supply.advisories import ADVISORIES, findings
from local.supply.leaks import leaks_in, leaks_in_history, leaks_in_tree
from local.supply.pins import REPOSITORY, Pin, UnpinnedRequirement, locked_files, pins_in
from local.supply.sbom import bill_of, write_bills

FILES = locked_files(REPOSITORY)
INSTALLS = (
    "Makefile",
    "images/workers/Dockerfile",
    *(f".github/workflows/{p.name}" for p in (REPOSITORY / ".github/workflows").glob("*.yml")),
)
OURS = (
    "comanda",
    "workers",
    "auth_lambda",
    "webhooks_lambda",
    "console",
    "local",
    "k8s",
    "terraform",
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_requirement_is_pinned_and_hashed(path: Path) -> None:
    pins = pins_in(path)

    assert all(pin.digests for pin in pins)
    # A platform may have a pin of its own, but no package has two of the same.
    assert len({(pin.name, pin.version) for pin in pins}) == len(pins)


def test_every_list_of_wishes_has_a_locked_file() -> None:
    wishes = {path.with_suffix(".txt") for path in REPOSITORY.glob("requirements*.in")}

    assert wishes <= set(FILES)


@pytest.mark.parametrize(
    "line", ["requests", "requests>=2", "requests==2.32.4", "-e .", "git+https://x"]
)
def test_a_line_that_is_not_pinned_and_hashed_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"# made by hand\n{line}\n")

    with pytest.raises(UnpinnedRequirement):
        pins_in(tmp_path / "requirements.txt")


@pytest.mark.parametrize("name", INSTALLS)
def test_no_install_goes_without_hashes_or_runs_a_script_of_the_package(name: str) -> None:
    text = (REPOSITORY / name).read_text().replace("\\\n", " ")
    installs = [line for line in text.splitlines() if re.search(r"pip install\b", line)]

    assert [line for line in installs if "--require-hashes" not in line] == []
    # A wheel is unpacked; anything else would run its own code while it is built.
    assert [
        line for line in installs if "--no-build" not in line and "--only-binary" not in line
    ] == []
    assert installs or not name.startswith(("Makefile", "images"))


def test_nothing_that_is_locked_has_a_fault_that_is_mended_elsewhere() -> None:
    assert findings(pin for path in FILES for pin in pins_in(path)) == []


def test_an_old_version_is_found() -> None:
    old = [
        Pin(name="h11", version="0.14.0", digests=()),
        Pin(name="starlette", version="0.49.0", digests=()),
        Pin(name="starlette", version="1.10.0", digests=()),
    ]

    assert [line.split(":")[0] for line in findings(old)] == ["CVE-2025-43859", "CVE-2025-62727"]


def test_nothing_of_ours_uses_a_package_whose_fault_we_accepted() -> None:
    accepted = {advisory.package for advisory in ADVISORIES if advisory.accepted_because}
    imported = {
        name.partition(".")[0]
        for folder in OURS
        for path in (REPOSITORY / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imports(node)
    }

    assert accepted
    assert imported & accepted == set()


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_bill_of_materials_names_every_pin_with_its_digests(path: Path) -> None:
    bill = bill_of(path)
    pins = pins_in(path)

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert [c["purl"] for c in bill["components"]] == [
        f"pkg:pypi/{p.name}@{p.version}" for p in pins
    ]
    assert len({component["bom-ref"] for component in bill["components"]}) == len(pins)
    assert bill == bill_of(path)


def test_bills_are_written_one_for_each_file(tmp_path: Path) -> None:
    written = write_bills(FILES, root=REPOSITORY, folder=tmp_path)

    assert len(set(written)) == len(FILES)
    assert "auth_lambda-requirements.cdx.json" in {path.name for path in written}


def test_what_runs_in_production_has_no_licence_that_would_bind_our_own_code() -> None:
    bill = bill_of(REPOSITORY / "requirements-pods.txt")
    licences = {
        component["name"]: component["licenses"][0]["license"]["name"]
        for component in bill["components"]
        if "licenses" in component
    }

    assert len(licences) > len(bill["components"]) * 0.8
    assert {n: said for n, said in licences.items() if re.search(r"\bA?GPL|Affero", said)} == {}


def test_no_file_of_the_repository_holds_a_secret() -> None:
    assert leaks_in_tree(REPOSITORY) == []


def test_no_file_that_was_ever_committed_holds_a_secret() -> None:
    assert leaks_in_history(REPOSITORY) == []


PLANTED = {
    "a private key": b"-----BEGIN PRIVATE KEY-----\n" + b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 5,
    "an AWS access key": b"aws_access_key_id = AKIA" + b"Q3EGRZ7YTLMNOPX2",
    "an AWS secret": b"aws_secret_access_key=" + b"abcdEFGH" * 5,
    "a Mercado Pago token": b"APP_USR-" + b"1234567890123456-112233-" + b"ab" * 16,
    "a GitHub token": b"ghp_" + b"a1B2" * 9,
    "a signed token": b".".join((b"eyJ" + b"a" * 30, b"eyJ" + b"b" * 60, b"c" * 100)),
    "a webhook secret": b"whsec_" + b"QUJD" * 11,
    "a password in an address": b"postgresql://comanda:" + b"correct-horse-battery@db/x",
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_secret_that_is_planted_is_found(kind: str) -> None:
    found = list(leaks_in(b"x = '" + PLANTED[kind] + b"'\n", place="here"))

    assert [leak.kind for leak in found] == [kind]


def test_security_rules_are_on_and_every_exemption_says_why() -> None:
    lint = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    lines = [
        f"{path.relative_to(REPOSITORY)}: {line.strip()}"
        for folder in OURS
        for path in (REPOSITORY / folder).rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"# noqa: (?:S\d+|BLE\d+)", line)
    ]

    assert "S" in lint["select"]
    assert [line for line in lines if not re.search(r"noqa: [A-Z0-9, ]+ (?:-|#) \w+", line)] == []
