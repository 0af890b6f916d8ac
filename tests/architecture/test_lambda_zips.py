"""What `make package` makes imports in isolation, is small, compiled, and loads nothing heavy."""

import json
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.packaging import APPS, Package, package
from local.packaging.package import SIZE_LIMIT

HEAVY = (
    *("boto3", "botocore", "jose", "pydantic", "aws_xray_sdk", "urllib3", "prometheus_client"),
    *("http.client", "ssl", "cryptography", "asyncio"),
)
ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
# PEP 552: the pyc says "hash, and do not check it"; a Lambda's sources are all of 1980.
UNCHECKED = (0b01).to_bytes(4, "little")


@pytest.fixture(scope="session", params=APPS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp(request.param)
    return package(request.param, out=folder, architecture=ARCHITECTURE)


def names_in(made: Package) -> list[str]:
    with zipfile.ZipFile(made.zip) as archive:
        return archive.namelist()


def test_the_zip_is_small_and_holds_the_app_alone(made: Package) -> None:
    names = names_in(made)

    assert made.zip.stat().st_size < SIZE_LIMIT
    assert {"app.py", "comanda/events.py", "chalicelib/__init__.py"} <= set(names)
    strangers = ("tests/", "local/", "workers/", "benchmarks/", "openapi", ".chalice")
    assert [name for name in names if name.startswith(strangers) or "openapi.toml" in name] == []


def test_every_module_of_ours_brings_bytecode_that_is_never_compared(made: Package) -> None:
    tag = sys.implementation.cache_tag
    with zipfile.ZipFile(made.zip) as archive:
        names = set(archive.namelist())
        compiled = [name for name in names if name.endswith(".pyc")]
        flags = {archive.read(name)[4:8] for name in compiled}

    ours = [
        n for n in names if n.endswith(".py") and n.startswith(("app", "chalicelib", "comanda"))
    ]
    expected = {
        str(Path(name).parent / "__pycache__" / f"{Path(name).stem}.{tag}.pyc") for name in ours
    }
    assert expected <= set(compiled)
    assert flags == {UNCHECKED}


def test_the_same_sources_make_the_same_bytes(made: Package, tmp_path: Path) -> None:
    app = next(name for name in APPS if name in str(made.zip))

    again = package(app, out=tmp_path, architecture=ARCHITECTURE)

    assert again.zip.read_bytes() == made.zip.read_bytes()


def test_chalice_names_the_runtime_and_the_architecture(made: Package) -> None:
    functions = json.loads(made.terraform.read_text())["resource"]["aws_lambda_function"]

    for function in functions.values():
        assert function["architectures"] == [ARCHITECTURE]
        assert function["runtime"] == f"python{sys.version_info.major}.{sys.version_info.minor}"


def test_the_app_imports_alone_and_loads_nothing_heavy(made: Package, tmp_path: Path) -> None:
    with zipfile.ZipFile(made.zip) as archive:
        archive.extractall(tmp_path)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import app;"
        f" print(sorted(m for m in {HEAVY!r} if m in sys.modules))"
    )

    # -I and -S: neither this checkout nor the environment's packages can help.
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"
