"""Package one Chalice app: a clean copy goes in, `deployment.zip` with bytecode comes out.

Chalice's zip holds no bytecode, and a Lambda cannot write any, so each cold start would compile
everything anew. Ours carries it, marked as never to be compared with its source: the zip's dates
are all 1980, and a comparison would reject it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from compileall import compile_dir
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from local.provision.context import REPOSITORY

APPS = ("auth_lambda", "webhooks_lambda")
SIZE_LIMIT = 10 * 1024 * 1024
# Where Lambda unpacks it; tracebacks name files so.
TASK_ROOT = "/var/task"
_UNWANTED = ("__pycache__", "deployments", "deployed", "venv")
_DATE = (1980, 1, 1, 0, 0, 0)


class PackagingFailed(Exception):
    """Chalice could not make the zip, or it is larger than it may be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A zip for Lambda, and Chalice's Terraform beside it."""

    zip: Path
    terraform: Path


def package(app: str, *, out: Path, architecture: str = "arm64") -> Package:
    """Make the zip of one app in `out`, for the Python that runs this; raise `PackagingFailed`.

    `architecture` is `arm64` or `x86_64`, as Lambda names them.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _copy(app, work, architecture=architecture)
        _run_chalice(work / app, out=work / "out")
        made = Package(zip=out / "deployment.zip", terraform=out / "chalice.tf.json")
        add_bytecode(work / "out" / "deployment.zip", target=made.zip)
        shutil.copy(work / "out" / "chalice.tf.json", made.terraform)
    size = made.zip.stat().st_size
    if size > SIZE_LIMIT:
        raise PackagingFailed(f"{made.zip} has {size} bytes; {SIZE_LIMIT} are allowed")
    return made


def add_bytecode(archive: Path, *, target: Path) -> None:
    """Write what is in the zip into `target`, with bytecode beside it; both may be one file."""
    with tempfile.TemporaryDirectory() as folder:
        task = Path(folder)
        with ZipFile(archive) as content:
            content.extractall(task)
        _compile(task)
        _write_zip(task, target)


def _copy(app: str, work: Path, *, architecture: str) -> None:
    # Chalice ships whatever lies in these folders, so they are copied clean.
    for name in ("comanda", app):
        unwanted = shutil.ignore_patterns(*_UNWANTED)
        shutil.copytree(REPOSITORY / name, work / name, symlinks=True, ignore=unwanted)
    config = work / app / ".chalice" / "config.json"
    content = json.loads(config.read_text())
    content["stages"]["prod"]["lambda_architecture"] = architecture
    config.write_text(json.dumps(content))


def _run_chalice(folder: Path, *, out: Path) -> None:
    chalice = str(Path(sys.executable).parent / "chalice")
    command = [chalice, "package", "--stage", "prod"]
    command += ["--pkg-format", "terraform", str(out)]
    environment = {
        **os.environ,
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "sa-east-1"),
        "PYTHONDONTWRITEBYTECODE": "1",
        # The copy is what is imported, never this checkout.
        "PYTHONPATH": str(folder.parent),
    }
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise PackagingFailed(f"chalice package: {run.stdout}{run.stderr}")


def _compile(task: Path) -> None:
    compile_dir(
        task,
        quiet=2,
        workers=1,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        stripdir=str(task),
        prependdir=TASK_ROOT,
    )


def _write_zip(task: Path, target: Path) -> None:
    # Names in order and one date for all: the same sources make the same bytes.
    with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(path for path in task.rglob("*") if path.is_file()):
            entry = ZipInfo(str(file.relative_to(task)), date_time=_DATE)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = (0o755 if os.access(file, os.X_OK) else 0o644) << 16
            archive.writestr(entry, file.read_bytes())
