"""What `chalice package` makes imports in isolation, is small, and loads nothing heavy."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAMBDAS = ("auth_lambda", "webhooks_lambda")
HEAVY = ("boto3", "botocore", "jose", "pydantic", "aws_xray_sdk", "urllib3", "prometheus_client")
SIZE_LIMIT = 10 * 1024 * 1024
pytestmark = pytest.mark.xdist_group("zips")


@pytest.fixture(scope="session", params=LAMBDAS)
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Package a clean copy, since Chalice ships whatever lies in the folder."""
    folder = tmp_path_factory.mktemp(request.param)
    clean = shutil.ignore_patterns("__pycache__", "deployments", "deployed", "venv")
    for name in ("comanda", request.param):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=clean)
    # The packager reads settings at import only through Chalice, which needs a region.
    environment = {**os.environ, "AWS_DEFAULT_REGION": "sa-east-1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(Path(sys.executable).parent / "chalice"), "package", "--stage", "prod"]
    command += ["--pkg-format", "terraform", str(folder / "out")]
    environment["PYTHONPATH"] = str(folder)
    subprocess.run(
        command, cwd=folder / request.param, env=environment, check=True, capture_output=True
    )
    return folder / "out" / "deployment.zip"


def test_the_zip_is_small_and_clean(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()

    assert package.stat().st_size < SIZE_LIMIT
    assert "app.py" in names
    assert "comanda/events.py" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_the_app_imports_alone_and_loads_nothing_heavy(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
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
