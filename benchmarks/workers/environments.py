"""The environments of the peers, made on first use under `.comanda/bench/`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.workers.processes import ROOT

STATE = ROOT / ".comanda" / "bench"
PEERS = ROOT / "benchmarks" / "workers" / "peers"
LOCK = ROOT / "benchmarks" / "workers" / "requirements-peers.txt"
PEERS_FOLDER = STATE / "peers"
PEERS_PYTHON = PEERS_FOLDER / "bin" / "python"
NODE_FOLDER = STATE / "node"
_MANIFESTS = ("package.json", "package-lock.json")


def prepare() -> tuple[str, ...]:
    """Make what is missing or out of date; give the names of what this machine cannot run."""
    if not sys.platform.startswith("linux"):
        sys.exit("the cost of a process is read in /proc, so this needs Linux")
    STATE.mkdir(parents=True, exist_ok=True)
    _prepare_python()
    return () if _prepare_node() else ("sqs-consumer",)


def versions() -> dict[str, str]:
    """Give the versions of what is measured, as installed."""
    listed = _run((*_uv("pip", "list"), "--format", "freeze"))
    wanted = {"aiobotocore", "boto3", "celery", "dramatiq-sqs", "taskiq-aio-sqs"}
    wanted |= {"aws-lambda-powertools", "kombu", "dramatiq", "taskiq"}
    pairs = (line.split("==") for line in listed.splitlines() if "==" in line)
    found = {name: version for name, version in pairs if name in wanted}
    found["Python"] = sys.version.split()[0]
    if shutil.which("node"):
        found["Node"] = _run(("node", "--version")).strip()
        manifest = NODE_FOLDER / "node_modules" / "sqs-consumer" / "package.json"
        found["sqs-consumer"] = json.loads(manifest.read_text())["version"]
    return dict(sorted(found.items(), key=lambda pair: pair[0].lower()))


def _prepare_python() -> None:
    stamp = PEERS_FOLDER / "lock.txt"
    if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return
    print("making the peers' Python environment", file=sys.stderr)
    if not PEERS_PYTHON.exists():
        _run((sys.executable, "-m", "venv", "--without-pip", str(PEERS_FOLDER)))
    _run((*_uv("pip", "install"), "--quiet", "--require-hashes", "-r", str(LOCK)))
    shutil.copyfile(LOCK, stamp)


def _prepare_node() -> bool:
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    NODE_FOLDER.mkdir(exist_ok=True)
    shutil.copyfile(PEERS / "node" / "consumer.mjs", NODE_FOLDER / "consumer.mjs")
    lock, stamp = PEERS / "node" / "package-lock.json", NODE_FOLDER / "installed.json"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return True
    print("making the peers' Node environment", file=sys.stderr)
    for name in _MANIFESTS:
        shutil.copyfile(PEERS / "node" / name, NODE_FOLDER / name)
    _run(("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"), cwd=NODE_FOLDER)
    shutil.copyfile(lock, stamp)
    return True


def _uv(*arguments: str) -> tuple[str, ...]:
    uv = Path(sys.executable).parent / "uv"
    return (str(uv), *arguments, "--python", str(PEERS_PYTHON))


def _run(command: tuple[str, ...], *, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{done.stderr}")
    return done.stdout
